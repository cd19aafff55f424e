// One HTTP transfer through libcurl.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "lptrain/base/error.h"
#include "lptrain/data/download.h"

#ifdef LPTRAIN_HAS_CURL
#include <curl/curl.h>
#endif

namespace lp {

#ifndef LPTRAIN_HAS_CURL

bool can_download() { return false; }
void fetch(const std::string& url, const std::filesystem::path& part, int64_t, const OnProgress&) {
  fail(ErrorKind::failure, "this program was built without libcurl; get {} by other means and put it beside {}", url,
       part.string());
}

#else

namespace {

struct Transfer {
  std::FILE* file = nullptr;
  CURL* curl = nullptr;
  int64_t start = 0, received = 0, limit = 0;
  bool is_too_long = false, is_unwritable = false;
  std::string name;
  const OnProgress* progress = nullptr;

  ~Transfer() {
    if (curl) curl_easy_cleanup(curl);
    if (file) std::fclose(file);
  }
};

size_t on_bytes(char* data, size_t, size_t count, void* user) {
  Transfer& t = *static_cast<Transfer*>(user);
  t.received += static_cast<int64_t>(count);
  t.is_too_long = t.start + t.received > t.limit;
  if (t.is_too_long) return 0;
  t.is_unwritable = std::fwrite(data, 1, count, t.file) != count;
  return t.is_unwritable ? 0 : count;
}

int on_progress(void* user, curl_off_t total, curl_off_t now, curl_off_t, curl_off_t) {
  const Transfer& t = *static_cast<Transfer*>(user);
  if (*t.progress) (*t.progress)(t.name, t.start + now, total > 0 ? t.start + total : 0);
  return 0;
}

void set_up(Transfer& t, const std::string& url) {
  curl_easy_setopt(t.curl, CURLOPT_URL, url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(t.curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(t.curl, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(t.curl, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
  curl_easy_setopt(t.curl, CURLOPT_REDIR_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  curl_easy_setopt(t.curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(t.curl, CURLOPT_MAXREDIRS, 5L);
  curl_easy_setopt(t.curl, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(t.curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t.curl, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(t.curl, CURLOPT_LOW_SPEED_LIMIT, 100L);
  curl_easy_setopt(t.curl, CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(t.curl, CURLOPT_USERAGENT, "lptrain");
  curl_easy_setopt(t.curl, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(t.start));
  curl_easy_setopt(t.curl, CURLOPT_WRITEFUNCTION, on_bytes);
  curl_easy_setopt(t.curl, CURLOPT_WRITEDATA, &t);
  curl_easy_setopt(t.curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(t.curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(t.curl, CURLOPT_XFERINFODATA, &t);
}

enum class Outcome { whole, cut_off, start_over };

// One attempt; `cut_off` if more may come by asking again.
Outcome attempt(const std::string& url, const std::filesystem::path& part, int64_t limit, const OnProgress& progress) {
  std::error_code error;
  Transfer t;
  t.file = std::fopen(part.c_str(), "ab");
  if (!t.file) fail(ErrorKind::failure, "{}: {}", part.string(), std::strerror(errno));
  t.start = static_cast<int64_t>(std::filesystem::file_size(part, error));
  t.limit = limit;
  t.name = url.substr(url.rfind('/') + 1);
  t.progress = &progress;
  t.curl = curl_easy_init();
  if (!t.curl) fail(ErrorKind::failure, "libcurl cannot start");
  set_up(t, url);
  const CURLcode code = curl_easy_perform(t.curl);
  long status = 0;
  curl_easy_getinfo(t.curl, CURLINFO_RESPONSE_CODE, &status);
  if (std::fflush(t.file) != 0 || t.is_unwritable) fail(ErrorKind::failure, "{}: {}", part.string(), std::strerror(errno));
  if (t.is_too_long || (code != CURLE_OK && t.start + t.received == 0)) std::filesystem::remove(part, error);  // worth nothing
  if (t.is_too_long) fail(ErrorKind::failure, "{}: sends more than the {} bytes expected", url, limit);
  if (code == CURLE_OK) return Outcome::whole;
  if (status == 416 || code == CURLE_RANGE_ERROR) return Outcome::start_over;
  if (t.received > 0) return Outcome::cut_off;
  fail(ErrorKind::failure, "{}: {}{}", url, curl_easy_strerror(code), status >= 400 ? fmt::format(" (HTTP {})", status) : "");
}

}  // namespace

bool can_download() { return true; }

void fetch(const std::string& url, const std::filesystem::path& part, int64_t limit, const OnProgress& progress) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) fail(ErrorKind::failure, "libcurl cannot start");
  constexpr int kAttempts = 5;
  for (int i = 0; i < kAttempts; ++i) {
    const Outcome outcome = attempt(url, part, limit, progress);
    if (outcome == Outcome::whole) return;
    if (outcome == Outcome::start_over) std::filesystem::remove(part);
  }
  fail(ErrorKind::failure, "{}: the connection broke {} times; try again, what has come so far is kept in {}", url, kAttempts,
       part.string());
}

#endif

}  // namespace lp
