"""More numbers of a segment than the table's 58, from the spectra that those are computed from."""

import warnings

import librosa
import numpy as np
from scipy import stats
from scipy.ndimage import convolve1d
from scipy.signal.windows import hann

from music_genre.data.columns import MORE_SERIES, SAMPLE_RATE

CENS_FRAMES = 41  # over which CENS is smoothed: 0.95 s, librosa's default
CENS_STEPS = (0.05, 0.1, 0.2, 0.4)  # of a frame's energy: each one passed counts a quarter


def numbers(
    *,
    magnitude: np.ndarray,
    power: np.ndarray,
    mel_db: np.ndarray,
    mfcc: np.ndarray,
    chroma: np.ndarray,
) -> np.ndarray:
    """Compute the columns :data:`music_genre.data.columns.MORE` of one segment.

    ============ =================================== =========================================
    column       what it is, unit                    librosa
    ============ =================================== =========================================
    contrast1... peaks over valleys of seven octave  ``feature.spectral_contrast``
    contrast7    bands, the lowest first, dB
    flatness     geometric over arithmetic mean of   ``feature.spectral_flatness``
                 the power, 0 (tone) to 1 (noise)
    flux         mean rise of the mel bands, dB a    ``onset.onset_strength``
                 frame
    cens1...     energy of the 12 pitch classes,     ``feature.chroma_cens``
    cens12       quantised, smoothed over 41 frames
    tonnetz1...  fifths, minor and major thirds, two ``feature.tonnetz``
    tonnetz6     coordinates each
    delta_mfcc1  slope of the MFCC over nine frames, ``feature.delta``
    ...20        dB a frame
    ============ =================================== =========================================

    Each comes as ``_mean``, ``_std``, ``_skew``, ``_kurtosis`` (of a normal distribution 0),
    ``_min`` and ``_max`` over the frames. What does not vary has skew and kurtosis 0.

    ``cens`` and ``tonnetz`` are of the chroma of the STFT, which is there already: librosa takes
    that of a constant-Q transform, which takes longer than all the 58 numbers.

    Parameters
    ----------
    magnitude, power : ndarray [shape=(1025, n_frames)]
        Of the STFT.
    mel_db : ndarray [shape=(128, n_frames)]
        The mel spectrogram, dB.
    mfcc : ndarray [shape=(20, n_frames)]
    chroma : ndarray [shape=(12, n_frames)]
        Of the STFT; how its frames are scaled does not matter.

    Returns
    -------
    ndarray [shape=(282,), dtype=float]
    """
    series = np.vstack(
        [
            librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE),
            librosa.feature.spectral_flatness(S=power, power=1.0),
            librosa.onset.onset_strength(S=mel_db, sr=SAMPLE_RATE),
            cens(chroma),
            librosa.feature.tonnetz(chroma=chroma),
            # Less each first frame, so that of silence no rounding is left, which has a skew.
            librosa.feature.delta(mfcc - mfcc[:, :1]),
        ]
    ).astype(float)
    if len(series) != len(MORE_SERIES):
        raise AssertionError("the series are not those that columns.py names")
    return statistics(series).ravel()


def cens(chroma: np.ndarray) -> np.ndarray:
    """Quantise and smooth the energy of pitch classes, as ``feature.chroma_cens`` does.

    M. Müller & S. Ewert, *Chroma Toolbox*, ISMIR 2011.

    Parameters
    ----------
    chroma : ndarray [shape=(12, n_frames)]

    Returns
    -------
    ndarray [shape=(12, n_frames)]
        Each frame has length 1, or is 0.
    """
    shares = librosa.util.normalize(chroma, norm=1)
    quantised = sum(0.25 * (shares > step) for step in CENS_STEPS)
    window = hann(CENS_FRAMES + 2)
    smooth = convolve1d(quantised, window / window.sum(), axis=1, mode="constant")
    return librosa.util.normalize(smooth, norm=2)


def statistics(series: np.ndarray) -> np.ndarray:
    """Return mean, deviation, skew, kurtosis, minimum and maximum of each series.

    Parameters
    ----------
    series : ndarray [shape=(n_series, n_frames), dtype=float]

    Returns
    -------
    ndarray [shape=(n_series, 6)]
        In the order of ``MORE_STATISTICS``.
    """
    with warnings.catch_warnings():  # of what does not vary: scipy says NaN, and here that is 0
        warnings.filterwarnings("ignore", message="Precision loss occurred")
        shape = [np.nan_to_num(of(series, axis=1)) for of in (stats.skew, stats.kurtosis)]
    low, high = series.min(axis=1), series.max(axis=1)
    return np.column_stack([series.mean(axis=1), series.std(axis=1), *shape, low, high])
