#include "ctl/json_reader.hpp"

#include "ctl/text.hpp"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>

#include <charconv>
#include <cmath>

namespace concert::ctl {

namespace {

using rapidjson::Value;

/// Counts the nesting, so that nothing after it needs to recurse far, and
/// refuses what the library would read wrongly.
class guard : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, guard> {
public:
  // NOLINTBEGIN(readability-identifier-naming): the names that RapidJSON calls
  bool StartObject() { return ++depth_ <= max_json_depth; }
  bool StartArray() { return ++depth_ <= max_json_depth; }
  bool EndObject(rapidjson::SizeType) { return depth_-- > 0; }
  bool EndArray(rapidjson::SizeType) { return depth_-- > 0; }
  /// A zero with an exponent or many digits, such as 0e55, comes out as any
  /// number: the library shifts it until its highest bit is set. Of hundreds
  /// of digits it reads beyond a table, and what is too small for a normal
  /// number, such as 77002e-329, may become infinite.
  bool RawNumber(const char* text, rapidjson::SizeType size, bool) {
    constexpr std::size_t longest = 64;
    if (size > longest)
      return false;
    const std::string_view number{text, size};
    double value = 0;
    if (std::from_chars(number.begin(), number.end(), value).ec != std::errc{})
      return false;
    return std::isnormal(value)
           || (value == 0 && size <= 20
               && number.find_first_of("eE") == std::string_view::npos);
  }
  /// Half a character, such as `\udc00`, comes out as octets that are no UTF-8.
  bool String(const char* text, rapidjson::SizeType size, bool) {
    const std::string_view octets{text, size};
    for (auto at = octets.find('\xed'); at < size;
         at = octets.find('\xed', at + 1))
      if (at + 1 < size && static_cast<unsigned char>(octets[at + 1]) >= 0xa0)
        return false;
    return true;
  }
  bool Key(const char* text, rapidjson::SizeType size, bool copy) {
    return String(text, size, copy);
  }
  // NOLINTEND(readability-identifier-naming)

private:
  std::size_t depth_ = 0;
};

constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag
                                 | rapidjson::kParseFullPrecisionFlag
                                 | rapidjson::kParseValidateEncodingFlag;

tl::unexpected<error> malformed(rapidjson::ParseErrorCode code,
                                std::size_t at) {
  return tl::unexpected{
    error{errc::malformed, fmt::format("no JSON of ours: {} (byte {})",
                                       rapidjson::GetParseError_En(code), at)}};
}

} // namespace

result<rapidjson::Document> parse_json(std::string_view text,
                                       std::size_t max_size) {
  if (text.size() > max_size)
    return tl::unexpected{
      error{errc::too_large,
            fmt::format("{} octets, more than {}", text.size(), max_size)}};
  rapidjson::MemoryStream input{text.data(), text.size()};
  rapidjson::Reader reader;
  guard first;
  const auto shape
    = reader.Parse<rapidjson::kParseIterativeFlag
                   | rapidjson::kParseNumbersAsStringsFlag>(input, first);
  if (shape.IsError())
    return malformed(shape.Code(), shape.Offset());
  rapidjson::Document document;
  document.Parse<parse_flags>(text.data(), text.size());
  if (document.HasParseError())
    return malformed(document.GetParseError(), document.GetErrorOffset());
  return document;
}

const Value& json_member(const Value& object, const char* key) {
  static const Value null;
  if (!object.IsObject())
    return null;
  const auto found = object.FindMember(key);
  return found == object.MemberEnd() ? null : found->value;
}

std::string json_text(const Value& value) {
  return value.IsString()
           ? printable({value.GetString(), value.GetStringLength()})
           : std::string{};
}

std::string json_text(const Value& object, const char* key) {
  return json_text(json_member(object, key));
}

std::optional<double> json_number(const Value& object, const char* key) {
  const Value& v = json_member(object, key);
  if (!v.IsNumber() || !std::isfinite(v.GetDouble()))
    return {};
  return v.GetDouble();
}

std::optional<std::uint64_t> json_count(const Value& object, const char* key) {
  const Value& v = json_member(object, key);
  if (!v.IsUint64())
    return {};
  return v.GetUint64();
}

std::optional<bool> json_truth(const Value& object, const char* key) {
  const Value& v = json_member(object, key);
  if (!v.IsBool())
    return {};
  return v.GetBool();
}

} // namespace concert::ctl
