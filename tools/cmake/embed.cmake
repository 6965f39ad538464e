# cmake -DFILES=<file;…> -DOUTPUT=<file> -P embed.cmake
#
# Writes the C++ source that exporter/page_files.hpp stands for. Octets are
# numbers: a string literal may not be as long as these files are.
set(text "#include \"exporter/page_files.hpp\"\n\n")
string(APPEND text "namespace concert::exporter {\n\nnamespace {\n\n")
set(table "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ "${file}" octets HEX)
  string(REPEAT "." 32 line)
  string(REGEX REPLACE "(${line})" "\\1\n" octets "${octets}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," octets "${octets}")
  get_filename_component(name "${file}" NAME)
  string(APPEND text "constexpr char octets_${index}[] = {\n${octets}\n};\n\n")
  string(APPEND table
         "  {\"${name}\", {octets_${index}, sizeof octets_${index}}},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text "constexpr page_file files[] = {\n${table}};\n\n")
string(APPEND text "} // namespace\n\n")
string(APPEND text "std::span<const page_file> page_files() {\n")
string(APPEND text "  return files;\n}\n\n} // namespace concert::exporter\n")
file(WRITE "${OUTPUT}" "${text}")
