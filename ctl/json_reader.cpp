#include "ctl/json_reader.hpp"

#include "ctl/text.hpp"

#include <fmt/format.h>
#include <rapidjson/encodedstream.h>
#include <rapidjson/error/en.h>
#include <rapidjson/memorystream.h>

#include <charconv>
#include <cmath>

namespace concert::ctl {

namespace {

using rapidjson::SizeType;
using rapidjson::Value;

/// Builds the document of what is nested no deeper than we recurse, and reads
/// numbers for the library, which takes 0e55 for any number and overflows at
/// some others.
class builder {
public:
  explicit builder(rapidjson::Document& d) : document_(d) {}

  // NOLINTBEGIN(readability-identifier-naming): the names that RapidJSON calls
  bool Null() { return document_.Null(); }
  bool Bool(bool value) { return document_.Bool(value); }
  bool RawNumber(const char* text, SizeType size, bool) {
    return number<std::uint64_t>({text, size}, &rapidjson::Document::Uint64)
           || number<std::int64_t>({text, size}, &rapidjson::Document::Int64)
           || number<double>({text, size}, &rapidjson::Document::Double);
  }
  /// Half a character, such as `\udc00`, comes out as octets that are no UTF-8.
  bool String(const char* text, SizeType size, bool copy) {
    const std::string_view octets{text, size};
    for (auto at = octets.find('\xed'); at < size;
         at = octets.find('\xed', at + 1))
      if (at + 1 < size && static_cast<unsigned char>(octets[at + 1]) >= 0xa0)
        return false;
    return document_.String(text, size, copy);
  }
  bool Key(const char* text, SizeType size, bool copy) {
    return String(text, size, copy);
  }
  bool StartObject() { return deeper() && document_.StartObject(); }
  bool StartArray() { return deeper() && document_.StartArray(); }
  bool EndObject(SizeType n) { return depth_-- > 0 && document_.EndObject(n); }
  bool EndArray(SizeType n) { return depth_-- > 0 && document_.EndArray(n); }

  // Never called: numbers come as text.
  bool Int(int) { return false; }
  bool Uint(unsigned) { return false; }
  bool Int64(std::int64_t) { return false; }
  bool Uint64(std::uint64_t) { return false; }
  bool Double(double) { return false; }
  // NOLINTEND(readability-identifier-naming)

private:
  bool deeper() { return ++depth_ <= max_json_depth; }

  /// False: it is none of this type.
  template <class Number>
  bool number(std::string_view text,
              bool (rapidjson::Document::*take)(Number)) {
    Number value{};
    const auto [stop, error] = std::from_chars(text.begin(), text.end(), value);
    return error == std::errc{} && stop == text.end()
           && (document_.*take)(value);
  }

  rapidjson::Document& document_;
  std::size_t depth_ = 0;
};

constexpr unsigned parse_flags = rapidjson::kParseIterativeFlag
                                 | rapidjson::kParseNumbersAsStringsFlag
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
  rapidjson::MemoryStream octets{text.data(), text.size()};
  rapidjson::EncodedInputStream<rapidjson::UTF8<>, rapidjson::MemoryStream>
    input{octets};
  rapidjson::Document document;
  rapidjson::Reader reader;
  rapidjson::ParseResult result;
  auto read = [&](rapidjson::Document& d) {
    builder into{d};
    result = reader.Parse<parse_flags>(input, into);
    return !result.IsError();
  };
  document.Populate(read);
  if (result.IsError())
    return malformed(result.Code(), result.Offset());
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
