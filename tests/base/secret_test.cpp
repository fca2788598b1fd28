#include "gateway/base/secret.h"

#include <gtest/gtest.h>

#include <sstream>

namespace {

// Lives in our own storage, so that what a destroyed or emptied secret leaves behind can be looked at.
class SecretRemains : public testing::Test {
 protected:
  template <class... Args>
  base::Secret& make(Args&&... args) {
    std::memset(storage_, 'x', sizeof storage_);
    return *new (storage_) base::Secret(std::forward<Args>(args)...);
  }
  bool holds(std::string_view text) const {
    return std::string_view{reinterpret_cast<char const*>(storage_), sizeof storage_}.find(text) !=
           std::string_view::npos;
  }
  alignas(base::Secret) unsigned char storage_[sizeof(base::Secret)];
};

TEST(Secret, prints_as_stars) {
  std::ostringstream out;
  out << base::Secret{"hunter2"};
  EXPECT_EQ(out.str(), "***");
}

TEST(Secret, reveals_what_it_was_given) {
  base::Secret const secret{"hunter2"};
  EXPECT_EQ(secret.reveal(), "hunter2");
  EXPECT_FALSE(secret.empty());
  EXPECT_TRUE(base::Secret{}.empty());
}

TEST(Secret, copies_and_moves_like_a_value) {
  base::Secret const first{"a long secret that does not fit into the string itself"};
  base::Secret copy = first;
  EXPECT_EQ(copy.reveal(), first.reveal());
  base::Secret moved = std::move(copy);
  EXPECT_EQ(moved.reveal(), first.reveal());
  EXPECT_TRUE(copy.empty());  // NOLINT(bugprone-use-after-move): that is the claim
  copy = moved;
  EXPECT_EQ(copy.reveal(), first.reveal());
  auto& itself = copy;
  copy = itself;
  EXPECT_EQ(copy.reveal(), first.reveal());
  copy = base::Secret{"short"};
  EXPECT_EQ(copy.reveal(), "short");
}

TEST_F(SecretRemains, are_wiped_when_it_is_destroyed) {
  auto& secret = make(std::string{"hunter2"});
  ASSERT_TRUE(holds("hunter2"));
  secret.~Secret();
  EXPECT_FALSE(holds("hunter"));
  EXPECT_FALSE(holds("nter2"));
}

TEST_F(SecretRemains, are_wiped_when_it_is_moved_from) {
  auto& secret = make(std::string{"hunter2"});
  base::Secret const taken = std::move(secret);
  EXPECT_EQ(taken.reveal(), "hunter2");
  EXPECT_FALSE(holds("unter2"));
  secret.~Secret();
}

TEST_F(SecretRemains, are_wiped_when_it_gets_a_new_value) {
  auto& secret = make(std::string{"hunter2secret"});
  secret = base::Secret{"ab"};
  EXPECT_FALSE(holds("secret"));
  secret.~Secret();
}

}  // namespace
