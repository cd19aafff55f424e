// Getting a data set's files from the network: resumable, checked, and whole or absent.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lptrain/data/card.h"

namespace lp {

// Called now and then while bytes come in; total is 0 if the server does not say.
using OnProgress = std::function<void(const std::string& file, int64_t bytes, int64_t total)>;

bool can_download();  // built with libcurl

// Gets a URL (http or https) into `part`, going on where an earlier attempt stopped. At most `limit` bytes. What came before an
// interruption stays. Error(failure): the network, the server, no libcurl.
void fetch(const std::string& url, const std::filesystem::path& part, int64_t limit, const OnProgress& progress);

// Brings every file of the card that is missing or wrong into <folders.download>/<card>/ (archives are unpacked), after its
// content has been checked. Returns the files written. Error(data): a wrong sum, or a card without addresses; Error(failure):
// every address failed.
std::vector<std::filesystem::path> download(const Card& card, const DataFolders& folders, const OnProgress& progress = {});

}  // namespace lp
