// A web server of a few lines on 127.0.0.1, with the bad habits that downloads must survive.
#pragma once
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace lp::test {

class HttpServer {
 public:
  struct Page {
    std::string body;
    size_t break_after = 0;  // the first `breaks` answers stop after so many bytes of body
    int breaks = 0;
    bool knows_ranges = true;
  };

  HttpServer() {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0 || listen(socket_, 8) != 0) std::abort();
    getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    shutdown(socket_, SHUT_RDWR);
    thread_.join();
    close(socket_);
  }

  void put(const std::string& path, Page page) {
    const std::lock_guard lock(mutex_);
    pages_[path] = std::move(page);
  }
  std::string url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }
  std::vector<std::string> requests() {  // "GET /a", "GET /a from 100"
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void serve() {
    for (int client; (client = accept(socket_, nullptr, nullptr)) >= 0; close(client)) answer(client);
  }

  void answer(int client) {
    std::string request;
    char buffer[4096];
    while (request.find("\r\n\r\n") == std::string::npos) {
      const ssize_t n = recv(client, buffer, sizeof buffer, 0);
      if (n <= 0) return;
      request.append(buffer, static_cast<size_t>(n));
    }
    const std::string path = request.substr(4, request.find(' ', 4) - 4);
    const size_t range = request.find("Range: bytes=");
    size_t from = range == std::string::npos ? 0 : std::strtoul(request.c_str() + range + 13, nullptr, 10);
    const std::lock_guard lock(mutex_);
    requests_.push_back("GET " + path + (from > 0 ? " from " + std::to_string(from) : ""));
    const auto found = pages_.find(path);
    if (found == pages_.end()) return reply(client, "404 Not Found", "", 0);
    Page& page = found->second;
    if (!page.knows_ranges) from = 0;
    if (from > 0 && from >= page.body.size()) return reply(client, "416 Range Not Satisfiable", "", 0);
    const std::string body = page.body.substr(from);
    const bool breaks = page.breaks > 0 && page.breaks-- > 0;
    reply(client,
          from > 0 ? "206 Partial Content\r\nContent-Range: bytes " + std::to_string(from) + "-" +
                         std::to_string(page.body.size() - 1) + "/" + std::to_string(page.body.size())
                   : "200 OK",
          breaks ? body.substr(0, page.break_after) : body, body.size());
  }

  static void reply(int client, const std::string& status, const std::string& body, size_t claimed) {
    const std::string text =
        "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(claimed) + "\r\nConnection: close\r\n\r\n" + body;
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t n = send(client, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<size_t>(n);
    }
  }

  int socket_ = -1, port_ = 0;
  std::mutex mutex_;
  std::map<std::string, Page> pages_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace lp::test
