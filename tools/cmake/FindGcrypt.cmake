# Hashes and ciphers (libgcrypt) -> Gcrypt::gcrypt
include(FromPkgConfig)
concert_find_by_pkg_config(Gcrypt libgcrypt Gcrypt::gcrypt)
