#pragma once

#include <chrono>
#include <string>

/// How numbers stand in the sentences of the steering.
namespace concert::ntp {

/// "12.3 ms", with the unit that suits the size; negative values keep a sign.
std::string duration_text(double seconds);
/// The same with a word for its sign: "300.1 ms ahead".
std::string offset_text(double seconds, const char* positive = "ahead",
                        const char* negative = "behind");
/// "+0.612000 s": for log lines that programs read too.
std::string seconds_text(double seconds);
/// "12.345 ppm".
std::string frequency_text(double ratio);
/// "2026-06-30T23:59:59.123456Z".
std::string unix_text(std::chrono::nanoseconds unix_time);

} // namespace concert::ntp
