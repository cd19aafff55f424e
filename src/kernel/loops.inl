// The list of all inner loops of one instruction set (see loops.h).
const Loops kLoops = {
    kMapLoops<float>,      kMapLoops<double>,     kStatisticsLoops<float>, kStatisticsLoops<double>, {max_forward<float>},
    {max_forward<double>}, {max_forward<int8_t>}, {max_forward<uint8_t>},  {max_forward<int16_t>},   kPoolLoops<float>,
    kPoolLoops<double>,    kRescaleLoops<float>,  kRescaleLoops<double>,   kUpdateLoops<float>,      kUpdateLoops<double>,
    kCodeLoops<int8_t>,    kCodeLoops<uint8_t>,   kCodeLoops<int16_t>,     kCodeLoops<int32_t>,      kCodeLoops<uint16_t>,
    quantize_values,       kPassageLoops,
};
