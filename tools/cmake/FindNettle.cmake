# A second opinion on ciphers and hashes, for tests (nettle) -> Nettle::nettle
include(FromPkgConfig)
concert_find_by_pkg_config(Nettle nettle Nettle::nettle)
