#pragma once

#include <filesystem>
#include <string>
#include <thread>

namespace concert::ctl {

/// A folder that goes with its owner.
class scratch_folder {
public:
  scratch_folder();
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;
  ~scratch_folder();
  const std::filesystem::path& path() const { return path_; }

private:
  std::filesystem::path path_;
};

/// Listens on a Unix socket and gives each client the same octets.
class fake_daemon {
public:
  enum class manner {
    answers, ///< sends all octets and closes
    stalls,  ///< sends them and keeps the connection open
    hangs,   ///< listens and does no more, as a stopped process
  };

  fake_daemon(std::string octets, manner how);
  fake_daemon(const fake_daemon&) = delete;
  fake_daemon& operator=(const fake_daemon&) = delete;
  ~fake_daemon();

  std::filesystem::path path() const { return folder_.path() / "observe"; }

private:
  void serve(const std::string& octets, manner how) const;

  scratch_folder folder_;
  int listener_ = -1;
  int stop_ = -1; ///< an eventfd
  std::thread thread_;
};

} // namespace concert::ctl
