"""The names of the columns of both features tables, and the segments that they describe."""

SAMPLE_RATE = 22_050  # Hz
SEGMENT_HOP = 3 * SAMPLE_RATE  # samples from one segment's start to the next one's
SEGMENT_LENGTH = SEGMENT_HOP - 1  # samples in a segment: the table's column `length`, 66,149
N_MFCC = 20
_VARYING = ["chroma_stft", "rms", "spectral_centroid", "spectral_bandwidth", "rolloff",
            "zero_crossing_rate", "harmony", "perceptr"]  # fmt: skip
MFCC = [f"mfcc{i}" for i in range(1, N_MFCC + 1)]
FEATURES = [
    *(f"{name}_{stat}" for name in _VARYING for stat in ("mean", "var")),
    "tempo",
    *(f"{name}_{stat}" for name in MFCC for stat in ("mean", "var")),
]
INPUTS = ["length", *FEATURES]  # the 58 numbers that the paper feeds to the network, in order
COLUMNS = ["filename", *INPUTS, "label"]
# Of the second table, which is made only where MORE=1 asks for it: music_genre.data.more.
MORE_SERIES = [
    *(f"contrast{i}" for i in range(1, 8)),
    "flatness",
    "flux",
    *(f"cens{i}" for i in range(1, 13)),
    *(f"tonnetz{i}" for i in range(1, 7)),
    *(f"delta_{name}" for name in MFCC),
]
MORE_STATISTICS = ["mean", "std", "skew", "kurtosis", "min", "max"]
MORE = [f"{name}_{stat}" for name in MORE_SERIES for stat in MORE_STATISTICS]
MORE_COLUMNS = ["filename", *MORE, "label"]
# What the features describe, related ones together: the order and the names of some figures.
FAMILIES = {
    "chroma": ["chroma_stft_mean", "chroma_stft_var"],
    "loudness": ["rms_mean", "rms_var"],
    "brightness": [
        f"{name}_{stat}"
        for name in ("spectral_centroid", "spectral_bandwidth", "rolloff", "zero_crossing_rate")
        for stat in ("mean", "var")
    ],
    "harmony, percussion": ["harmony_mean", "harmony_var", "perceptr_mean", "perceptr_var"],
    "tempo": ["tempo"],
    "MFCC means": [f"{name}_mean" for name in MFCC],
    "MFCC variances": [f"{name}_var" for name in MFCC],
}
