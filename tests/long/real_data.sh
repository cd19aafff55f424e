#!/usr/bin/env bash
# Short trainings on real data: IDX, image folder, CSV.   usage: real_data.sh SOURCE BINARY   (LPTRAIN_SHARED: folder with datasets/)
set -euo pipefail
[ -d "${LPTRAIN_SHARED:-/none}/datasets" ] || { echo "skipped: set LPTRAIN_SHARED to a folder that has datasets/"; exit 77; }
source_dir=$1 lptrain=$2/lptrain
export LPTRAIN_DATA=$LPTRAIN_SHARED/datasets
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$source_dir"
run() { echo "+ lptrain $*"; "$lptrain" "$@" --no-progress; }
run configs/cnn_int8.json --set dataset=mnist --set train.epochs=1 --out "$work/mnist" --fail-below 0.97
run configs/mlp_f32.json --set dataset=fashion_mnist --set train.epochs=1 --out "$work/fashion" --fail-below 0.78
run configs/cnn_f32.json --set 'dataset={"image_folder": {"path": "'"$LPTRAIN_DATA"'/sign_digits_2class/data", "size": [24, 24], "channels": 1}}' \
    --set train.epochs=15 --out "$work/signs" --fail-below 0.9
run configs/mlp_f32.json --set 'dataset={"csv": {"path": "'"$LPTRAIN_DATA"'/banknote/banknote_authentication.csv", "header": false}}' \
    --set train.epochs=20 --out "$work/banknote" --fail-below 0.95
run configs/examples/mlp_tabular/full.json --set 'dataset={"name": "pima"}' --out "$work/pima" --fail-below 0.68
run configs/examples/mlp_image_folder/fixed_point.json --out "$work/grey_signs" --fail-below 0.75 \
    --set 'dataset={"image_folder": {"path": "'"$LPTRAIN_DATA"'/sign_digits_2class/data", "size": [28, 28], "channels": 1}}'
for set in mnist fashion_mnist cifar10 pima banknote iris adult digits8x8 sign_digits_2class; do run data $set --verify; done
