#include <benchmark/benchmark.h>

#include "gateway/base/base64.h"
#include "gateway/twilio/signature.h"
#include "gateway/twilio/stream_message.h"

namespace {

namespace twilio = gateway::twilio;

std::string media_message() {
  std::string payload;
  base::append_base64(payload, std::vector<std::uint8_t>(160, 0xFF));
  return R"({"event":"media","sequenceNumber":"1234","media":{"track":"inbound","chunk":"1233","timestamp":"24680","payload":")" +
         payload + R"("},"streamSid":"MZ0123456789abcdef0123456789abcdef"})";
}

void decode_media_fast(benchmark::State& state) {
  auto const text = media_message();
  twilio::Media media;
  for (auto _ : state) benchmark::DoNotOptimize(twilio::decode_usual_media(text, media));
}
BENCHMARK(decode_media_fast);

void decode_media_generally(benchmark::State& state) {
  auto const text = media_message();
  for (auto _ : state) benchmark::DoNotOptimize(twilio::decode_generally(text));
}
BENCHMARK(decode_media_generally);

void encode_media(benchmark::State& state) {
  std::vector<std::uint8_t> const audio(160, 0xFF);
  base::StreamSid const stream{"MZ0123456789abcdef0123456789abcdef"};
  std::string out;
  for (auto _ : state) {
    twilio::encode_media(out, stream, audio);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(encode_media);

net::Form form_of(std::size_t fields, std::size_t value_bytes) {
  net::Form form;
  for (std::size_t i = 0; i < fields; ++i)
    form.emplace_back("Field" + std::to_string(i * 7919 % 1000), std::string(value_bytes, 'x'));
  return form;
}

/// The cost of refusing a forged POST whose header has the right shape, with both token slots in use.
void refuse_forged_form(benchmark::State& state) {
  twilio::SignatureVerifier const verifier{net::parse_url("https://gw.example.com").value()};
  std::vector<base::Secret> const tokens{base::Secret{"primary"}, base::Secret{"secondary"}};
  auto const form = form_of(static_cast<std::size_t>(state.range(0)), static_cast<std::size_t>(state.range(1)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        verifier.verify_form(tokens, "/api/twilio/voice-callback", form, "RJO/ZIT/Dqdu6+pyOmJRl8/ucvw="));
  }
}
BENCHMARK(refuse_forged_form)->Args({30, 20})->Args({200, 310});

/// The worst a stranger can send: a full body and a query that makes us try all variants.
void refuse_hostile_form(benchmark::State& state) {
  twilio::SignatureVerifier const verifier{net::parse_url("https://gw.example.com").value()};
  std::vector<base::Secret> const tokens{base::Secret{"primary"}, base::Secret{"secondary"}};
  auto const form = form_of(200, 310);
  std::string target = "/api/twilio/voice-callback?q='";
  for (int i = 0; i < 99; ++i) target += "&a" + std::to_string(i) + "=%2f";
  for (auto _ : state) {
    benchmark::DoNotOptimize(verifier.verify_form(tokens, target, form, "RJO/ZIT/Dqdu6+pyOmJRl8/ucvw="));
  }
}
BENCHMARK(refuse_hostile_form);

}  // namespace
