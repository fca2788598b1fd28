#include <signal.h>
#include <sys/wait.h>

#include <fstream>

#include "crm/pg/postmaster_file.h"
#include "crm/pg/server_process.h"
#include "tests/crm/scene.h"

namespace {

using crm::pg::PrivatePostgres;
using crm::pg::Purpose;
using crm::pg::StartFailure;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::sql;

bool is_alive(pid_t process) {
  return !crm::pg::wait_until_gone(process, milliseconds{0});
}

class PrivateServer : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::SharedServer::get().server) GTEST_SKIP() << "no PostgreSQL: " << test::SharedServer::get().missing;
  }

  /// Another process that serves from the directory and is killed without warning; the server it leaves behind.
  pid_t serve_and_die() {
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    pid_t const child = ::fork();
    if (child == 0) {
      PrivatePostgres const server{data_dir, Purpose::serve};
      auto const process = server.server();
      bool const told = ::write(ends[1], &process, sizeof process) == sizeof process;
      while (told) ::pause();
      ::_exit(1);
    }
    ::close(ends[1]);
    pid_t left = 0;
    EXPECT_EQ(::read(ends[0], &left, sizeof left), static_cast<ssize_t>(sizeof left));
    ::close(ends[0]);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return left;
  }

  test::OpenFolder folder;
  std::filesystem::path data_dir = folder.path() / "data" / "postgres";
};

TEST_F(PrivateServer, keeps_its_records_over_a_stop_and_leaves_no_process) {
  pid_t first = 0;
  {
    PrivatePostgres server{data_dir, Purpose::serve};
    first = server.server();
    sql(server.conninfo(), "create table kept as select 42 as answer");
    server.stop();
    EXPECT_FALSE(is_alive(first));
  }
  auto const before = std::chrono::steady_clock::now();
  PrivatePostgres const again{data_dir, Purpose::serve};
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds{3});
  EXPECT_NE(again.server(), first);
  EXPECT_EQ(sql(again.conninfo(), "select answer from kept"), "42");
}

TEST_F(PrivateServer, runs_as_an_ordinary_user_in_a_session_of_its_own_without_tcp) {
  PrivatePostgres const server{data_dir, Purpose::serve};
  EXPECT_EQ(::getsid(server.server()), server.server());
  EXPECT_NE(crm::pg::owner_of(std::filesystem::path{"/proc"} / std::to_string(server.server())).uid, 0U);
  EXPECT_EQ(sql(server.conninfo(), "show listen_addresses"), "");
  EXPECT_EQ(sql(server.conninfo(), "show fsync"), "on");
  EXPECT_EQ(sql(server.conninfo(), "show server_encoding"), "UTF8");
}

TEST_F(PrivateServer, is_adopted_after_its_owner_was_killed) {
  auto const left = serve_and_die();
  ASSERT_TRUE(is_alive(left));
  PrivatePostgres server{data_dir, Purpose::serve};
  EXPECT_EQ(server.server(), left);
  EXPECT_EQ(sql(server.conninfo(), "select 1"), "1");
  server.stop();
  EXPECT_FALSE(is_alive(left));
}

TEST_F(PrivateServer, is_restarted_when_owner_and_server_were_killed) {
  auto const left = serve_and_die();
  ::kill(left, SIGKILL);
  ASSERT_TRUE(crm::pg::wait_until_gone(left, seconds{10}));
  PrivatePostgres const server{data_dir, Purpose::serve};
  EXPECT_NE(server.server(), left);
  EXPECT_EQ(sql(server.conninfo(), "select 1"), "1");
}

TEST_F(PrivateServer, starts_although_its_old_process_number_now_belongs_to_another_program) {
  {
    PrivatePostgres const server{data_dir, Purpose::serve};
  }
  auto const file = data_dir / "cluster" / "postmaster.pid";
  std::ofstream{file} << ::getpid() << "\n" << (data_dir / "cluster").string() << "\n1\n5432\n/nowhere\n\n1 1\nready\n";
  PrivatePostgres const server{data_dir, Purpose::serve};
  EXPECT_EQ(sql(server.conninfo(), "select 1"), "1");
}

TEST_F(PrivateServer, refuses_a_second_gateway_and_names_the_first) {
  PrivatePostgres const first{data_dir, Purpose::serve};
  try {
    PrivatePostgres const second{data_dir, Purpose::serve};
    FAIL() << "two gateways serve from one directory";
  } catch (StartFailure const& failure) {
    EXPECT_NE(std::string{failure.what()}.find(std::to_string(::getpid())), std::string::npos) << failure.what();
  }
  EXPECT_TRUE(is_alive(first.server()));
}

TEST_F(PrivateServer, is_joined_by_a_command_and_outlives_it) {
  PrivatePostgres const serving{data_dir, Purpose::serve};
  {
    PrivatePostgres const command{data_dir, Purpose::command};
    EXPECT_EQ(command.server(), serving.server());
  }
  EXPECT_TRUE(is_alive(serving.server()));
  EXPECT_EQ(sql(serving.conninfo(), "select 1"), "1");
}

TEST_F(PrivateServer, is_started_and_stopped_by_a_command_that_finds_none) {
  pid_t process = 0;
  {
    PrivatePostgres const command{data_dir, Purpose::command};
    process = command.server();
    EXPECT_EQ(sql(command.conninfo(), "select 1"), "1");
  }
  EXPECT_FALSE(is_alive(process));
}

TEST_F(PrivateServer, is_stopped_by_whoever_leaves_last) {
  auto serving = std::make_unique<PrivatePostgres>(data_dir, Purpose::serve);
  auto const process = serving->server();
  auto command = std::make_unique<PrivatePostgres>(data_dir, Purpose::command);
  serving.reset();
  EXPECT_TRUE(is_alive(process));
  command.reset();
  EXPECT_FALSE(is_alive(process));
}

TEST_F(PrivateServer, is_revived_when_it_dies) {
  PrivatePostgres server{data_dir, Purpose::serve};
  auto const first = server.server();
  EXPECT_FALSE(server.revive());
  ::kill(first, SIGKILL);
  ASSERT_TRUE(crm::pg::wait_until_gone(first, seconds{10}));
  EXPECT_TRUE(server.revive());
  EXPECT_NE(server.server(), first);
  EXPECT_EQ(sql(server.conninfo(), "select 1"), "1");
}

TEST_F(PrivateServer, finds_a_short_place_for_its_socket_when_the_path_is_long) {
  auto const deep = folder.path() / std::string(60, 'a') / std::string(60, 'b');
  PrivatePostgres server{deep, Purpose::serve};
  EXPECT_EQ(sql(server.conninfo(), "select 1"), "1");
  auto const socket_folder = sql(server.conninfo(), "show unix_socket_directories");
  EXPECT_EQ(socket_folder.find(deep.string()), std::string::npos);
  server.stop();
  EXPECT_FALSE(std::filesystem::exists(socket_folder));
}

TEST_F(PrivateServer, moves_elsewhere_when_its_user_cannot_reach_the_directory_and_finds_itself_again) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root runs the server as somebody else";
  ::chmod(folder.path().c_str(), 0700);
  std::filesystem::path home;
  {
    PrivatePostgres const server{data_dir, Purpose::serve};
    home = server.folder();
    EXPECT_NE(home, data_dir);
    sql(server.conninfo(), "create table kept as select 42 as answer");
  }
  {
    PrivatePostgres const again{data_dir, Purpose::serve};
    EXPECT_EQ(again.folder(), home);
    EXPECT_EQ(sql(again.conninfo(), "select answer from kept"), "42");
  }
  std::filesystem::remove_all(home);
}

}  // namespace
