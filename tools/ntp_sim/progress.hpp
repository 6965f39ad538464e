#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace concert::sim {

/// Says on stderr how far a run is: as one changing line on a terminal, else
/// as a line now and then once it takes long.
class progress {
public:
  progress(std::size_t jobs, std::size_t rows, bool quiet);
  ~progress();

  void job_done() { ++jobs_done_; }
  void row_done() { ++rows_done_; }
  /// May say something.
  void tick();

private:
  using clock = std::chrono::steady_clock;

  std::string line() const;

  std::size_t jobs_;
  std::size_t rows_;
  bool quiet_;
  bool terminal_;
  std::size_t jobs_done_ = 0;
  std::size_t rows_done_ = 0;
  clock::time_point start_ = clock::now();
  clock::time_point last_ = start_;
  bool drawn_ = false;
};

} // namespace concert::sim
