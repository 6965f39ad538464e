#include "ctl/observation.hpp"

#include "ctl/text.hpp"

#include <fmt/format.h>
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
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
/// An observation is nested six deep.
constexpr std::size_t max_depth = 16;

/// Counts the nesting, so that nothing after it needs to recurse far.
class depth_guard
  : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, depth_guard> {
public:
  // NOLINTBEGIN(readability-identifier-naming): the names that RapidJSON calls
  bool StartObject() { return ++depth_ <= max_depth; }
  bool StartArray() { return ++depth_ <= max_depth; }
  bool EndObject(rapidjson::SizeType) { return depth_-- > 0; }
  bool EndArray(rapidjson::SizeType) { return depth_-- > 0; }
  // NOLINTEND(readability-identifier-naming)

private:
  std::size_t depth_ = 0;
};

constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag
                                 | rapidjson::kParseFullPrecisionFlag
                                 | rapidjson::kParseValidateEncodingFlag;

error malformed(const std::string& why) {
  return {errc::malformed, "the answer is no observation document: " + why};
}

result<rapidjson::Document> parse(std::string_view text) {
  if (text.size() > max_document)
    return tl::unexpected{
      error{errc::too_large, "the document is larger than 1 MiB"}};
  rapidjson::MemoryStream input{text.data(), text.size()};
  rapidjson::Reader reader;
  depth_guard guard;
  const auto shape = reader.Parse<rapidjson::kParseIterativeFlag>(input, guard);
  if (shape.IsError())
    return tl::unexpected{malformed(fmt::format(
      "{} (byte {})", GetParseError_En(shape.Code()), shape.Offset()))};
  rapidjson::Document document;
  document.Parse<parse_flags>(text.data(), text.size());
  if (document.HasParseError())
    return tl::unexpected{malformed(
      fmt::format("{} (byte {})", GetParseError_En(document.GetParseError()),
                  document.GetErrorOffset()))};
  if (!document.IsObject())
    return tl::unexpected{malformed("it is no object")};
  return document;
}

/// The member, or null where there is none.
const Value& member(const Value& object, const char* key) {
  static const Value null;
  if (!object.IsObject())
    return null;
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() ? null : found->value;
}

std::optional<double> number(const Value& object, const char* key) {
  const Value& v = member(object, key);
  if (!v.IsNumber() || !std::isfinite(v.GetDouble()))
    return {};
  return v.GetDouble();
}

std::optional<double> span_s(const Value& object, const char* key) {
  const auto s = number(object, key);
  return s && *s < unknown_span_s ? s : std::nullopt;
}

std::optional<std::uint64_t> count(const Value& object, const char* key) {
  const Value& v = member(object, key);
  if (!v.IsUint64())
    return {};
  return v.GetUint64();
}

std::optional<std::int64_t> unix_time(const Value& object, const char* key) {
  const Value& v = member(object, key);
  if (!v.IsInt64())
    return {};
  return v.GetInt64();
}

std::optional<bool> truth(const Value& object, const char* key) {
  const Value& v = member(object, key);
  if (!v.IsBool())
    return {};
  return v.GetBool();
}

std::string read_text(const Value& v) {
  return v.IsString() ? printable({v.GetString(), v.GetStringLength()})
                      : std::string{};
}

std::string words(const Value& object, const char* key) {
  return read_text(member(object, key));
}

ntp::ntp_timestamp timestamp(const Value& object, const char* key) {
  return ntp::ntp_timestamp::from_bits(
    count(member(object, key), "timestamp").value_or(0));
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
  return {.version = words(v, "version"),
          .build_commit = words(v, "build_commit"),
          .build_commit_date = words(v, "build_commit_date"),
          .uptime_s = number(v, "uptime_seconds"),
          .now = timestamp(v, "now")};
}

/// sqrt(b + l t + q t² + c t³), t from `root_variance_base_time`.
std::optional<double> root_dispersion_s(const Value& v,
                                        ntp::ntp_timestamp now) {
  const auto base = number(v, "root_variance_base");
  const ntp::ntp_timestamp from = timestamp(v, "root_variance_base_time");
  if (!base || from.is_unknown() || now.is_unknown())
    return {};
  const double t = std::max(0.0, (now - from).seconds());
  const double variance
    = *base
      + t
          * (number(v, "root_variance_linear").value_or(0)
             + t
                 * (number(v, "root_variance_quadratic").value_or(0)
                    + t * number(v, "root_variance_cubic").value_or(0)));
  if (!std::isfinite(variance) || variance < 0)
    return {};
  return std::sqrt(variance);
}

std::optional<observed_budget> read_budget(const Value& v) {
  if (!v.IsObject())
    return {};
  return observed_budget{.measurement_s = number(v, "measurement"),
                         .asymmetry_s = number(v, "asymmetry"),
                         .wander_s = number(v, "wander"),
                         .server_s = number(v, "server"),
                         .disagreement_s = number(v, "disagreement"),
                         .unslewed_s = number(v, "unslewed")};
}

observed_system read_system(const Value& v, ntp::ntp_timestamp now) {
  return {.state = words(v, "state"),
          .state_reason = words(v, "state_reason"),
          .state_since_s = number(v, "state_since_seconds"),
          .synchronized = truth(v, "synchronized"),
          .stratum = count(v, "stratum"),
          .reference_id
          = static_cast<std::uint32_t>(count(v, "reference_id").value_or(0)),
          .leap = words(v, "leap_indicator"),
          .root_delay_s = number(v, "root_delay"),
          .root_dispersion_s = root_dispersion_s(v, now),
          .reference_time = timestamp(v, "reference_time"),
          .offset_s = number(v, "offset"),
          .frequency = number(v, "frequency"),
          .frequency_uncertainty = number(v, "frequency_uncertainty"),
          .estimated_error_s = number(v, "estimated_error"),
          .budget = read_budget(member(v, "error_budget")),
          .stability_s = number(v, "stability"),
          .max_error_s = number(v, "max_error"),
          .last_update_age_s = number(v, "last_update_age"),
          .steps_total = count(v, "steps_total"),
          .accumulated_steps_s = number(v, "accumulated_steps"),
          .accumulated_steps_threshold_s
          = number(v, "accumulated_steps_threshold"),
          .last_step_s = number(v, "last_step"),
          .holdover_s = number(v, "holdover_seconds"),
          .selected_sources = count(v, "selected_sources"),
          .required_sources = count(v, "required_sources")};
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
  return {.name = words(v, "name"),
          .passed = truth(v, "passed"),
          .value = number(v, "value"),
          .limit = number(v, "limit"),
          .unit = words(v, "unit"),
          .text = words(v, "text")};
}

observed_source read_source(const Value& v) {
  const auto uncertainty = span_s(v, "uncertainty");
  const Value& poll = member(v, "poll_interval");
  const Value& stamping = member(v, "timestamping");
  observed_source source{
    .name = words(v, "name"),
    .address = words(v, "address"),
    .id = count(v, "id").value_or(0),
    .state = words(v, "state"),
    .state_reason = words(v, "state_reason"),
    .offset_s = uncertainty ? number(v, "offset") : std::nullopt,
    .uncertainty_s = uncertainty,
    .delay_s = span_s(v, "delay"),
    .jitter_s = span_s(v, "jitter"),
    .last_sample_age_s = number(v, "last_sample_age"),
    .poll = poll.IsInt64() ? std::optional{poll.GetInt64()} : std::nullopt,
    .reachability = count(v, "reachability"),
    .unanswered_polls = count(v, "unanswered_polls"),
    .stratum = count(v, "stratum"),
    .nts_cookies = count(v, "nts_cookies"),
    .remote_delay_s = span_s(v, "remote_delay"),
    .remote_uncertainty_s = span_s(v, "remote_uncertainty"),
    .transmit_stamps = words(stamping, "transmit"),
    .receive_stamps = words(stamping, "receive"),
    .requests = count(v, "requests"),
    .packets = counts(member(v, "packets")),
    .tests = {}};
  read_list(member(v, "tests"), source.tests, read_test);
  return source;
}

observed_counter read_counter(const Value& v) {
  return {.response = words(v, "response"),
          .reason = words(v, "reason"),
          .packets = count(v, "packets").value_or(0)};
}

std::uint64_t read_count(const Value& v) {
  return v.IsUint64() ? v.GetUint64() : 0;
}

observed_latency read_latency(const Value& v) {
  return {.limit_s = number(v, "limit"),
          .replies = count(v, "replies").value_or(0)};
}

observed_client read_client(const Value& v) {
  return {.address = words(v, "address"),
          .requests = count(v, "requests").value_or(0)};
}

observed_server read_server(const Value& v) {
  const Value& latency = member(v, "latency");
  observed_server server{.address = words(v, "address"),
                         .interface = words(v, "interface"),
                         .listening = truth(v, "listening"),
                         .problem = words(v, "problem"),
                         .stats = {},
                         .counters = {},
                         .versions = {},
                         .queue_overflows = count(v, "queue_overflows"),
                         .latency_p50_s = number(latency, "p50"),
                         .latency_p99_s = number(latency, "p99"),
                         .latency = {},
                         .transmit_delay_s = number(v, "transmit_delay"),
                         .top_clients = {}};
  server.stats = counts(member(v, "stats"));
  read_list(member(v, "counters"), server.counters, read_counter);
  read_list(member(latency, "buckets"), server.latency, read_latency);
  read_list(member(v, "versions"), server.versions, read_count);
  read_list(member(v, "top_clients"), server.top_clients, read_client);
  return server;
}

observed_nts_source read_nts_source(const Value& v) {
  return {.name = words(v, "name"),
          .address = words(v, "address"),
          .server = words(v, "server"),
          .aead = words(v, "aead"),
          .cookies = count(v, "cookies"),
          .cookie_length = count(v, "cookie_length"),
          .exchanging = truth(v, "exchanging").value_or(false),
          .exchanges = count(v, "exchanges"),
          .failures = count(v, "failures"),
          .last_exchange_age_s = number(v, "last_exchange_age"),
          .problem = words(v, "problem"),
          .next_exchange_s = number(v, "next_exchange")};
}

observed_certificate read_certificate(const Value& v) {
  observed_certificate certificate{.file = words(v, "file"),
                                   .names = {},
                                   .not_before = unix_time(v, "not_before"),
                                   .not_after = unix_time(v, "not_after")};
  read_list(member(v, "names"), certificate.names, read_text);
  return certificate;
}

observed_ke_server read_ke_server(const Value& v) {
  observed_ke_server server{.address = words(v, "address"),
                            .listening = truth(v, "listening"),
                            .problem = words(v, "problem"),
                            .certificates = {},
                            .certificate_problem
                            = words(v, "certificate_problem"),
                            .connections = count(v, "connections"),
                            .accepted = count(v, "accepted"),
                            .handshakes = count(v, "handshakes"),
                            .exchanges = count(v, "exchanges"),
                            .pool_exchanges = count(v, "pool_exchanges"),
                            .rate_limited = count(v, "rate_limited"),
                            .too_many = count(v, "too_many"),
                            .timed_out = count(v, "timed_out"),
                            .broken = count(v, "broken"),
                            .refusals = counts(member(v, "refusals")),
                            .tls_failures = counts(member(v, "tls_failures"))};
  read_list(member(v, "certificates"), server.certificates, read_certificate);
  return server;
}

std::optional<observed_keyset> read_keyset(const Value& v) {
  if (!v.IsObject())
    return {};
  return observed_keyset{.cluster = truth(v, "cluster"),
                         .keys = count(v, "keys"),
                         .newest_since = unix_time(v, "newest_since"),
                         .next_rotation = unix_time(v, "next_rotation"),
                         .problem = words(v, "problem")};
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
  o.program = read_program(member(*root, "program"));
  o.system = read_system(member(*root, "system"), o.program.now);
  const Value& clock = member(*root, "clock");
  o.clock = {words(clock, "kind"), number(clock, "true_error")};
  const Value& sources = member(*root, "sources");
  const bool all_sources = read_list(sources, o.sources, read_source);
  for (rapidjson::SizeType i = 0; i < o.sources.size(); ++i)
    complete_age(o.sources[i], sources[i], o.program.now);
  const bool all_servers
    = read_list(member(*root, "servers"), o.servers, read_server);
  const bool all_nts_sources
    = read_list(member(*root, "nts_sources"), o.nts_sources, read_nts_source);
  const bool all_ke_servers
    = read_list(member(*root, "nts_ke_servers"), o.ke_servers, read_ke_server);
  o.keyset = read_keyset(member(*root, "keyset"));
  o.truncated = truth(*root, "truncated").value_or(false) || !all_sources
                || !all_servers || !all_nts_sources || !all_ke_servers;
  return o;
}

result<std::string> part_of(std::string_view document, const char* key) {
  const auto root = parse(document);
  if (!root)
    return tl::unexpected{root.error()};
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer{buffer};
  member(*root, key).Accept(writer);
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
