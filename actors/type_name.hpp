#pragma once

#include <string>
#include <typeinfo>

namespace concert::actors {

/// The name of a type as people say it, without namespaces: "source_report".
/// That of `void`, a message whose type nobody knows, is "(unknown)".
std::string type_name(const std::type_info& type);

} // namespace concert::actors
