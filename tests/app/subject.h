// A small model that has not learned anything, with its data: what tests look at.
#pragma once
#include <string>

#include "lptrain/base/document.h"
#include "lptrain/train/config.h"

namespace lp::test {

struct Subject {
  RunConfig config;
  Dataset data;
  Model model;

  explicit Subject(const std::string& precision, const std::string& dataset = R"({"name": "spirals", "limit": 300})")
      : config(read_config(
            Document::parse(fmt::format(R"({{"model": "tiny_mlp", "dataset": {}, "precision": {}}})", dataset, precision), "t"))),
        data(load_dataset(config.dataset, data_folders())),
        model(config.model, data.shape, std::ssize(data.classes), config.phases[0].precision, DType::f32, Key(1)) {}
};

}  // namespace lp::test
