#include "loadtest/load/http_exchange.h"

#include <gtest/gtest.h>

namespace {

using namespace sim::load;

std::optional<HttpAnswer> read_in_pieces(std::string_view text, std::size_t piece) {
  AnswerReader reader;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    auto answer = reader.take(text.substr(at, piece));
    if (answer) return at + piece >= text.size() ? answer : HttpAnswer{0, {}, "too early"};
  }
  return reader.end();
}

TEST(AnswerReader, reads_an_answer_with_a_length_in_pieces_of_any_size) {
  constexpr std::string_view text =
      "HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nCONTENT-LENGTH: 11\r\n\r\n<Response/>";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    auto const answer = read_in_pieces(text, piece);
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->status, 200U);
    EXPECT_EQ(answer->content_type, "text/xml; charset=utf-8");
    EXPECT_EQ(answer->body, "<Response/>");
  }
}

TEST(AnswerReader, reads_chunks) {
  constexpr std::string_view text =
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n<Respo\r\n5\r\nnse/>\r\n0\r\n\r\n";
  for (std::size_t piece = 1; piece <= text.size(); ++piece)
    EXPECT_EQ(read_in_pieces(text, piece)->body, "<Response/>");
}

TEST(AnswerReader, reads_to_the_end_of_the_connection_when_there_is_no_length) {
  AnswerReader reader;
  EXPECT_FALSE(reader.take("HTTP/1.1 200 OK\r\n\r\nall of "));
  EXPECT_FALSE(reader.take("this"));
  EXPECT_EQ(reader.end()->body, "all of this");
}

TEST(AnswerReader, needs_no_body_where_there_is_none) {
  AnswerReader reader;
  EXPECT_EQ(reader.take("HTTP/1.1 204 No Content\r\n\r\n")->status, 204U);
}

TEST(AnswerReader, does_not_take_half_an_answer_for_one) {
  AnswerReader reader;
  EXPECT_FALSE(reader.take("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
  EXPECT_EQ(reader.end()->status, 0U);
}

TEST(AnswerReader, does_not_take_something_else_for_an_answer) {
  AnswerReader reader;
  EXPECT_EQ(reader.take("SSH-2.0-OpenSSH_9.2\r\n\r\n")->status, 0U);
}

}  // namespace
