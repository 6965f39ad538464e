#pragma once

#include "ctl/text.hpp"
#include "ntp_core/time/time.hpp"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <cmath>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace concert::ctl {

/// Writes JSON by the rules of our documents: what is no finite number or is
/// absent becomes null, and text is always valid UTF-8.
class json_writer {
public:
  void value(std::nullptr_t) { writer_.Null(); }
  void value(bool v) { writer_.Bool(v); }
  void value(std::floating_point auto v) {
    if (std::isfinite(v))
      writer_.Double(v);
    else
      writer_.Null();
  }
  void value(std::unsigned_integral auto v) { writer_.Uint64(v); }
  void value(std::signed_integral auto v) { writer_.Int64(v); }
  void value(std::string_view v) { writer_.String(printable(v)); }
  void value(const char* v) { value(std::string_view{v}); }
  template <class T>
  void value(const std::optional<T>& v) {
    if (v)
      value(*v);
    else
      writer_.Null();
  }
  /// NTP's 64 bits as one integer, in an object of its own.
  void value(ntp::ntp_timestamp v) {
    object([&] { field("timestamp", v.bits()); });
  }

  void field(const char* key, const auto& v) {
    writer_.Key(key);
    value(v);
  }
  /// `members` writes the fields.
  void object(const auto& members) {
    writer_.StartObject();
    members();
    writer_.EndObject();
  }
  void object(const char* key, const auto& members) {
    writer_.Key(key);
    object(members);
  }
  /// `elements` writes the values.
  void array(const auto& elements) {
    writer_.StartArray();
    elements();
    writer_.EndArray();
  }
  void array(const char* key, const auto& elements) {
    writer_.Key(key);
    array(elements);
  }

  /// What was written so far.
  std::string_view text() const {
    return {buffer_.GetString(), buffer_.GetSize()};
  }

private:
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

/// The text of one object; `members` takes the writer.
std::string json_object(const auto& members) {
  json_writer writer;
  writer.object([&] { members(writer); });
  return std::string{writer.text()};
}

} // namespace concert::ctl
