#pragma once
// For those who still look for it here.
#include "gateway/base/base64.h"

namespace media {

using base::append_base64;
using base::base64_size;
using base::base64_decoded_bound;
using base::decode_base64;
using base::encode_base64;

}  // namespace media
