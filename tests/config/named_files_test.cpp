#include "tests/config/config_directory.hpp"

namespace concert::config {

namespace {

namespace fs = std::filesystem;

/// A source for the daemon to be content with.
const std::string sound
  = "[[source]]\nmode = \"server\"\naddress = \"a.example\"\n";

std::string errors_of(const config_directory& dir) {
  const auto loaded = load(dir.main(), true);
  if (loaded)
    FAIL("accepted");
  return dir.lines(loaded.error());
}

std::string warnings_of(const config_directory& dir) {
  const auto loaded = load(dir.main(), true);
  if (!loaded)
    FAIL("refused: " << dir.lines(loaded.error()));
  return dir.lines(loaded->warnings);
}

std::string authority(const std::string& value) {
  return "[[source]]\nmode = \"nts\"\naddress = \"a.example\"\n"
         "certificate-authority = "
         + value + '\n';
}

std::string quoted(const std::string& path) {
  return '"' + path + '"';
}

std::string cluster(const config_directory& dir) {
  return sound + "[keyset]\ncluster-secret-file = " + quoted(dir.path("secret"))
         + '\n';
}

void make_private(const config_directory& dir, const char* name) {
  fs::permissions(dir.path(name), fs::perms::owner_read);
}

} // namespace

TEST_CASE("authorities that are there need not look like certificates") {
  const config_directory dir;
  dir.write("a.pem", "not a certificate");
  dir.write("b.pem", "");
  dir.write("ntp.toml", authority(quoted(dir.path("a.pem"))));
  CHECK(warnings_of(dir).empty());
  dir.write("ntp.toml", authority('[' + quoted(dir.path("a.pem")) + ", "
                                  + quoted(dir.path("b.pem")) + ']'));
  CHECK(warnings_of(dir).empty());
}

TEST_CASE("authorities that cannot be read are errors, each with its place") {
  const config_directory dir;
  fs::create_directory(dir.path("folder"));
  dir.write("ntp.toml", authority("[\n" + quoted(dir.path("a.pem")) + ",\n"
                                  + quoted(dir.path("folder")) + "]"));
  CHECK(errors_of(dir)
        == "ntp.toml:5:1: error: `certificate-authority`: a.pem cannot be "
           "read: No such file or directory\n"
           "ntp.toml:6:1: error: `certificate-authority`: folder is not a "
           "file\n");
  dir.write("ntp.toml", authority(quoted("/dev/null")));
  CHECK(errors_of(dir)
        == "ntp.toml:4:25: error: `certificate-authority`: /dev/null is not a "
           "file\n");
}

TEST_CASE("a reader that is not the daemon can leave the files alone") {
  const config_directory dir;
  dir.write("ntp.toml", authority(quoted(dir.path("a.pem"))));
  const auto loaded = load(dir.main(), true, named_files::ignored);
  REQUIRE(loaded.has_value());
  CHECK(loaded->warnings.empty());
}

TEST_CASE("files and values that are wrong are told together") {
  const config_directory dir;
  dir.write("ntp.toml", authority(quoted(dir.path("a.pem"))) + "prefer = 1\n");
  CHECK(errors_of(dir)
        == "ntp.toml:4:25: error: `certificate-authority`: a.pem cannot be "
           "read: No such file or directory\n"
           "ntp.toml:5:10: error: `prefer`: expected a boolean, found an "
           "integer\n");
}

TEST_CASE("values that cannot name files do no harm to the search") {
  const config_directory dir;
  dir.write("ntp.toml", "source = [1, { certificate-authority = [2, \"\"] }]\n"
                        "nts-ke-server = [{ certificates = 1 }]\n"
                        "keyset = 3\n");
  CHECK(errors_of(dir).find("named") == std::string::npos);
  dir.write("ntp.toml", "source = 1\nnts-ke-server = [{ certificates = [{}], "
                        "private-key-path = 7 }]\n"
                        "[keyset]\ncluster-secret-file = \"\"\n"
                        "key-storage-path = []\n");
  CHECK(errors_of(dir).find("`source`: expected tables") != std::string::npos);
}

TEST_CASE("a cluster's secret has 32 octets, line ends after it not counted") {
  const config_directory dir;
  dir.write("ntp.toml", cluster(dir));
  const std::string secret(32, 'x');
  for (const auto& good :
       {secret, secret + "\n", secret + "\r\n", '\n' + secret.substr(1),
        secret + std::string(100'000, 'y')}) {
    dir.write("secret", good);
    make_private(dir, "secret");
    CHECK(warnings_of(dir).empty());
    fs::remove(dir.path("secret"));
  }
  for (const auto& bad : {std::string{}, secret.substr(1),
                          secret.substr(1) + "\n", std::string(64, '\n')}) {
    dir.write("secret", bad);
    make_private(dir, "secret");
    CHECK(errors_of(dir)
          == "ntp.toml:5:23: error: `cluster-secret-file`: secret holds fewer "
             "than 32 octets\n");
    fs::remove(dir.path("secret"));
  }
  CHECK(errors_of(dir)
        == "ntp.toml:5:23: error: `cluster-secret-file`: secret cannot be "
           "read: No such file or directory\n");
}

TEST_CASE("a secret that others may read is no secret, one for a group is") {
  const config_directory dir;
  dir.write("ntp.toml", cluster(dir));
  dir.write("secret", std::string(32, 'x'));
  fs::permissions(dir.path("secret"),
                  fs::perms::owner_read | fs::perms::group_read);
  CHECK(warnings_of(dir).empty());
  fs::permissions(dir.path("secret"),
                  fs::perms::owner_read | fs::perms::others_read);
  CHECK(warnings_of(dir)
        == "ntp.toml:5:23: warning: `cluster-secret-file`: secret is open to "
           "everybody: chmod o-rwx keeps the secret\n");
}

TEST_CASE("keys need a folder to be stored in") {
  const config_directory dir;
  const auto keys = [&](const std::string& path) {
    return sound + "[keyset]\nkey-storage-path = " + quoted(path) + '\n';
  };
  dir.write("ntp.toml", keys(dir.path("keys")));
  CHECK(warnings_of(dir).empty());
  dir.write("ntp.toml", keys("keys"));
  CHECK(warnings_of(dir).empty());
  dir.write("ntp.toml", keys(dir.path("folder/keys")));
  CHECK(warnings_of(dir)
        == "ntp.toml:5:20: warning: `key-storage-path`: folder/keys cannot be "
           "made: its folder does not exist\n");
}

TEST_CASE("certificates may come late, which is warned about") {
  const config_directory dir;
  dir.write("chain.pem", "");
  dir.write("key.pem", "");
  make_private(dir, "key.pem");
  dir.write(
    "ntp.toml",
    sound + "[[server]]\nlisten = \"[::]:123\"\n"
      + "[[nts-ke-server]]\nlisten = \"[::]:4460\"\ncertificate-chain-path = "
      + quoted(dir.path("chain.pem"))
      + "\nprivate-key-path = " + quoted(dir.path("key.pem"))
      + "\n[[nts-ke-server.certificates]]\ncertificate-chain-path = "
      + quoted(dir.path("b.pem"))
      + "\nprivate-key-path = " + quoted(dir.path("b-key.pem")) + '\n');
  CHECK(warnings_of(dir)
        == "ntp.toml:11:26: warning: `certificate-chain-path`: b.pem does not "
           "exist\n"
           "ntp.toml:12:20: warning: `private-key-path`: b-key.pem does not "
           "exist\n");
  dir.write("b.pem", "");
  dir.write("b-key.pem", "");
  fs::permissions(dir.path("b-key.pem"), fs::perms::others_read,
                  fs::perm_options::add);
  CHECK(warnings_of(dir)
        == "ntp.toml:12:20: warning: `private-key-path`: b-key.pem is open to "
           "everybody: chmod o-rwx keeps the secret\n");
}

} // namespace concert::config
