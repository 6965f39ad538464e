#include "ctl/observation.hpp"

#include "ctl/json_reader.hpp"
#include "ctl/text.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <cmath>

namespace concert::ctl {

namespace {

using rapidjson::Value;

/// No daemon has more sources or servers in a document of `max_document`.
constexpr std::size_t max_elements = 8192;
/// From this on a length of time says "never measured" (ntpd-rs: 2^31 s).
constexpr double unknown_span_s = 1073741824.0;

error malformed(const std::string& why) {
  return {errc::malformed, "the answer is no observation document: " + why};
}

result<rapidjson::Document> parse(std::string_view text) {
  auto document = parse_json(text, max_document);
  if (!document && document.error().code == errc::malformed)
    return tl::unexpected{malformed(document.error().text)};
  if (document && !document->IsObject())
    return tl::unexpected{malformed("it is no object")};
  return document;
}

std::optional<double> span_s(const Value& object, const char* key) {
  const auto s = json_number(object, key);
  return s && *s < unknown_span_s ? s : std::nullopt;
}

std::optional<std::int64_t> unix_time(const Value& object, const char* key) {
  const Value& v = json_member(object, key);
  if (!v.IsInt64())
    return {};
  return v.GetInt64();
}

ntp::ntp_timestamp timestamp(const Value& object, const char* key) {
  return ntp::ntp_timestamp::from_bits(
    json_count(json_member(object, key), "timestamp").value_or(0));
}

/// Puts what `read` makes of each element into `into`; says whether all were.
template <class T>
bool read_list(const Value& array, std::vector<T>& into,
               T (*read)(const Value&)) {
  if (!array.IsArray())
    return true;
  const std::size_t n = std::min<std::size_t>(array.Size(), max_elements);
  into.reserve(n);
  for (rapidjson::SizeType i = 0; i < n; ++i)
    into.push_back(read(array[i]));
  return n == array.Size();
}

observed_program read_program(const Value& v) {
  return {.version = json_text(v, "version"),
          .build_commit = json_text(v, "build_commit"),
          .build_commit_date = json_text(v, "build_commit_date"),
          .uptime_s = json_number(v, "uptime_seconds"),
          .now = timestamp(v, "now")};
}

/// sqrt(b + l t + q t² + c t³), t from `root_variance_base_time`.
std::optional<double> root_dispersion_s(const Value& v,
                                        ntp::ntp_timestamp now) {
  const auto base = json_number(v, "root_variance_base");
  const ntp::ntp_timestamp from = timestamp(v, "root_variance_base_time");
  if (!base || from.is_unknown() || now.is_unknown())
    return {};
  const double t = std::max(0.0, (now - from).seconds());
  const double variance
    = *base
      + t
          * (json_number(v, "root_variance_linear").value_or(0)
             + t
                 * (json_number(v, "root_variance_quadratic").value_or(0)
                    + t * json_number(v, "root_variance_cubic").value_or(0)));
  if (!std::isfinite(variance) || variance < 0)
    return {};
  return std::sqrt(variance);
}

std::optional<observed_budget> read_budget(const Value& v) {
  if (!v.IsObject())
    return {};
  return observed_budget{.measurement_s = json_number(v, "measurement"),
                         .asymmetry_s = json_number(v, "asymmetry"),
                         .wander_s = json_number(v, "wander"),
                         .server_s = json_number(v, "server"),
                         .disagreement_s = json_number(v, "disagreement"),
                         .unslewed_s = json_number(v, "unslewed")};
}

observed_system read_system(const Value& v, ntp::ntp_timestamp now) {
  return {.state = json_text(v, "state"),
          .state_reason = json_text(v, "state_reason"),
          .state_since_s = json_number(v, "state_since_seconds"),
          .synchronized = json_truth(v, "synchronized"),
          .stratum = json_count(v, "stratum"),
          .reference_id = static_cast<std::uint32_t>(
            json_count(v, "reference_id").value_or(0)),
          .leap = json_text(v, "leap_indicator"),
          .root_delay_s = json_number(v, "root_delay"),
          .root_dispersion_s = root_dispersion_s(v, now),
          .reference_time = timestamp(v, "reference_time"),
          .offset_s = json_number(v, "offset"),
          .frequency = json_number(v, "frequency"),
          .frequency_uncertainty = json_number(v, "frequency_uncertainty"),
          .estimated_error_s = json_number(v, "estimated_error"),
          .budget = read_budget(json_member(v, "error_budget")),
          .stability_s = json_number(v, "stability"),
          .max_error_s = json_number(v, "max_error"),
          .last_update_age_s = json_number(v, "last_update_age"),
          .steps_total = json_count(v, "steps_total"),
          .accumulated_steps_s = json_number(v, "accumulated_steps"),
          .accumulated_steps_threshold_s
          = json_number(v, "accumulated_steps_threshold"),
          .last_step_s = json_number(v, "last_step"),
          .holdover_s = json_number(v, "holdover_seconds"),
          .selected_sources = json_count(v, "selected_sources"),
          .required_sources = json_count(v, "required_sources")};
}

/// The members of an object that are counts.
std::map<std::string, std::uint64_t> counts(const Value& object) {
  std::map<std::string, std::uint64_t> result;
  if (object.IsObject())
    for (const auto& entry : object.GetObject())
      if (entry.value.IsUint64())
        result.emplace(
          printable({entry.name.GetString(), entry.name.GetStringLength()}),
          entry.value.GetUint64());
  return result;
}

observed_test read_test(const Value& v) {
  return {.name = json_text(v, "name"),
          .passed = json_truth(v, "passed"),
          .value = json_number(v, "value"),
          .limit = json_number(v, "limit"),
          .unit = json_text(v, "unit"),
          .text = json_text(v, "text")};
}

observed_source read_source(const Value& v) {
  const auto uncertainty = span_s(v, "uncertainty");
  const Value& poll = json_member(v, "poll_interval");
  const Value& stamping = json_member(v, "timestamping");
  observed_source source{
    .name = json_text(v, "name"),
    .address = json_text(v, "address"),
    .id = json_count(v, "id").value_or(0),
    .state = json_text(v, "state"),
    .state_reason = json_text(v, "state_reason"),
    .offset_s = uncertainty ? json_number(v, "offset") : std::nullopt,
    .uncertainty_s = uncertainty,
    .delay_s = span_s(v, "delay"),
    .jitter_s = span_s(v, "jitter"),
    .last_sample_age_s = json_number(v, "last_sample_age"),
    .poll = poll.IsInt64() ? std::optional{poll.GetInt64()} : std::nullopt,
    .reachability = json_count(v, "reachability"),
    .unanswered_polls = json_count(v, "unanswered_polls"),
    .stratum = json_count(v, "stratum"),
    .nts_cookies = json_count(v, "nts_cookies"),
    .remote_delay_s = span_s(v, "remote_delay"),
    .remote_uncertainty_s = span_s(v, "remote_uncertainty"),
    .transmit_stamps = json_text(stamping, "transmit"),
    .receive_stamps = json_text(stamping, "receive"),
    .requests = json_count(v, "requests"),
    .packets = counts(json_member(v, "packets")),
    .tests = {}};
  read_list(json_member(v, "tests"), source.tests, read_test);
  return source;
}

observed_counter read_counter(const Value& v) {
  return {.response = json_text(v, "response"),
          .reason = json_text(v, "reason"),
          .packets = json_count(v, "packets").value_or(0)};
}

std::uint64_t read_count(const Value& v) {
  return v.IsUint64() ? v.GetUint64() : 0;
}

observed_latency read_latency(const Value& v) {
  return {.limit_s = json_number(v, "limit"),
          .replies = json_count(v, "replies").value_or(0)};
}

observed_client read_client(const Value& v) {
  return {.address = json_text(v, "address"),
          .requests = json_count(v, "requests").value_or(0)};
}

observed_server read_server(const Value& v) {
  const Value& latency = json_member(v, "latency");
  observed_server server{.address = json_text(v, "address"),
                         .interface = json_text(v, "interface"),
                         .listening = json_truth(v, "listening"),
                         .problem = json_text(v, "problem"),
                         .stats = {},
                         .counters = {},
                         .versions = {},
                         .queue_overflows = json_count(v, "queue_overflows"),
                         .latency_p50_s = json_number(latency, "p50"),
                         .latency_p99_s = json_number(latency, "p99"),
                         .latency = {},
                         .transmit_delay_s = json_number(v, "transmit_delay"),
                         .top_clients = {}};
  server.stats = counts(json_member(v, "stats"));
  read_list(json_member(v, "counters"), server.counters, read_counter);
  read_list(json_member(latency, "buckets"), server.latency, read_latency);
  read_list(json_member(v, "versions"), server.versions, read_count);
  read_list(json_member(v, "top_clients"), server.top_clients, read_client);
  return server;
}

observed_nts_source read_nts_source(const Value& v) {
  return {.name = json_text(v, "name"),
          .address = json_text(v, "address"),
          .server = json_text(v, "server"),
          .aead = json_text(v, "aead"),
          .cookies = json_count(v, "cookies"),
          .cookie_length = json_count(v, "cookie_length"),
          .exchanging = json_truth(v, "exchanging").value_or(false),
          .exchanges = json_count(v, "exchanges"),
          .failures = json_count(v, "failures"),
          .last_exchange_age_s = json_number(v, "last_exchange_age"),
          .problem = json_text(v, "problem"),
          .next_exchange_s = json_number(v, "next_exchange")};
}

observed_certificate read_certificate(const Value& v) {
  observed_certificate certificate{.file = json_text(v, "file"),
                                   .names = {},
                                   .not_before = unix_time(v, "not_before"),
                                   .not_after = unix_time(v, "not_after")};
  read_list(json_member(v, "names"), certificate.names, json_text);
  return certificate;
}

observed_ke_server read_ke_server(const Value& v) {
  observed_ke_server server{
    .address = json_text(v, "address"),
    .listening = json_truth(v, "listening"),
    .problem = json_text(v, "problem"),
    .certificates = {},
    .certificate_problem = json_text(v, "certificate_problem"),
    .connections = json_count(v, "connections"),
    .accepted = json_count(v, "accepted"),
    .handshakes = json_count(v, "handshakes"),
    .exchanges = json_count(v, "exchanges"),
    .pool_exchanges = json_count(v, "pool_exchanges"),
    .rate_limited = json_count(v, "rate_limited"),
    .too_many = json_count(v, "too_many"),
    .timed_out = json_count(v, "timed_out"),
    .broken = json_count(v, "broken"),
    .refusals = counts(json_member(v, "refusals")),
    .tls_failures = counts(json_member(v, "tls_failures"))};
  read_list(json_member(v, "certificates"), server.certificates,
            read_certificate);
  return server;
}

std::optional<observed_keyset> read_keyset(const Value& v) {
  if (!v.IsObject())
    return {};
  return observed_keyset{.cluster = json_truth(v, "cluster"),
                         .keys = json_count(v, "keys"),
                         .newest_since = unix_time(v, "newest_since"),
                         .next_rotation = unix_time(v, "next_rotation"),
                         .problem = json_text(v, "problem")};
}

/// The age by the wall clock, where the daemon does not give it itself.
void complete_age(observed_source& source, const Value& v,
                  ntp::ntp_timestamp now) {
  const ntp::ntp_timestamp last = timestamp(v, "last_update");
  if (!source.last_sample_age_s && source.offset_s && !last.is_unknown())
    source.last_sample_age_s = (now - last).seconds();
}

} // namespace

result<observation> read_observation(std::string_view document) {
  const auto root = parse(document);
  if (!root)
    return tl::unexpected{root.error()};
  observation o;
  o.program = read_program(json_member(*root, "program"));
  o.system = read_system(json_member(*root, "system"), o.program.now);
  const Value& clock = json_member(*root, "clock");
  o.clock = {json_text(clock, "kind"), json_number(clock, "true_error")};
  const Value& sources = json_member(*root, "sources");
  const bool all_sources = read_list(sources, o.sources, read_source);
  for (rapidjson::SizeType i = 0; i < o.sources.size(); ++i)
    complete_age(o.sources[i], sources[i], o.program.now);
  const bool all_servers
    = read_list(json_member(*root, "servers"), o.servers, read_server);
  const bool all_nts_sources = read_list(json_member(*root, "nts_sources"),
                                         o.nts_sources, read_nts_source);
  const bool all_ke_servers = read_list(json_member(*root, "nts_ke_servers"),
                                        o.ke_servers, read_ke_server);
  o.keyset = read_keyset(json_member(*root, "keyset"));
  o.truncated = json_truth(*root, "truncated").value_or(false) || !all_sources
                || !all_servers || !all_nts_sources || !all_ke_servers;
  return o;
}

result<std::string> part_of(std::string_view document, const char* key) {
  const auto root = parse(document);
  if (!root)
    return tl::unexpected{root.error()};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
  json_member(*root, key).Accept(writer);
  return std::string{buffer.GetString(), buffer.GetSize()};
}

result<std::size_t> framed_size(std::string_view eight_octets) {
  std::uint64_t size = 0;
  for (const char c : eight_octets.substr(0, 8))
    size = size << 8 | static_cast<std::uint8_t>(c);
  if (size > max_document)
    return tl::unexpected{error{
      errc::too_large,
      fmt::format("the answer claims to be {} bytes long; an observation has "
                  "at most 1 MiB",
                  size)}};
  return static_cast<std::size_t>(size);
}

} // namespace concert::ctl
