#include "actors/type_name.hpp"

#include <cxxabi.h>

#include <cctype>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace concert::actors {

namespace {

/// `text` without each "name::".
std::string without_namespaces(std::string_view text) {
  std::string result;
  std::size_t word = 0; // where in `result` the present name begins
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (text.substr(i, 2) == "::") {
      result.resize(word);
      ++i;
      continue;
    }
    result += c;
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_')
      word = result.size();
  }
  return result;
}

} // namespace

std::string type_name(const std::type_info& type) {
  if (type == typeid(void))
    return "(unknown)";
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> name{
    abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), &std::free};
  return without_namespaces(name ? name.get() : type.name());
}

} // namespace concert::actors
