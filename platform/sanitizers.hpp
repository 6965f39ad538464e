#pragma once

#if defined(__has_feature)
#  define CONCERT_HAS_FEATURE(name) __has_feature(name)
#else
#  define CONCERT_HAS_FEATURE(name) 0
#endif

namespace concert::platform {

/// With which sanitizers this build is made. They start threads of their own
/// and make system calls that nobody else does.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool address_sanitizer = true;
#else
inline constexpr bool address_sanitizer
  = CONCERT_HAS_FEATURE(address_sanitizer);
#endif

#ifdef __SANITIZE_THREAD__
inline constexpr bool thread_sanitizer = true;
#else
inline constexpr bool thread_sanitizer = CONCERT_HAS_FEATURE(thread_sanitizer);
#endif

} // namespace concert::platform

#undef CONCERT_HAS_FEATURE
