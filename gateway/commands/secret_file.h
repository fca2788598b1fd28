#pragma once
#include <string>

#include "gateway/base/secret.h"

namespace gateway {

/// The secret in a file, without the white space behind it: never from the command line, where others would see it.
/// Throws CommandFailure when there is none.
base::Secret read_secret(std::string const& path);

}  // namespace gateway
