#pragma once

#include "exporter/http_engine.hpp"

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>
#include <tl/expected.hpp>

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <string>

namespace concert::exporter {

/// What strangers may cost.
struct http_limits {
  std::size_t connections = 256; ///< beyond, the oldest one is closed
  std::size_t head = 4096;       ///< octets of a request
  /// Octets of answers that were not sent yet; beyond, the oldest are given up.
  std::size_t unsent = 16 * 1024 * 1024;
  /// From the beginning of a connection to the end of its request.
  std::chrono::milliseconds request_time{2000};
  std::chrono::milliseconds answer_time{5000};
};

/// Serves HTTP on one thread, whatever its clients do.
class http_server {
public:
  /// Listens at `where` ("address:port"; port 0: any that is free).
  /// @returns a sentence for people if that is not possible.
  static tl::expected<std::unique_ptr<http_server>, std::string>
  listen(asio::io_context& context, const std::string& where,
         http_engine engine, http_limits limits = {});

  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;
  ~http_server();

  asio::ip::tcp::endpoint place() const;
  std::size_t connections() const { return connections_.size(); }

private:
  class connection;
  using connection_list = std::list<std::shared_ptr<connection>>;

  http_server(asio::ip::tcp::acceptor acceptor, http_engine engine,
              http_limits limits);
  void accept();
  void add(asio::ip::tcp::socket socket);
  void make_room(std::size_t octets);
  void end_oldest();

  asio::ip::tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  http_engine engine_;
  http_limits limits_;
  connection_list connections_; ///< the oldest first
  std::size_t unsent_ = 0;      ///< octets
};

} // namespace concert::exporter
