"""Classifiers that scikit-learn lacks, with its interface: named clusters, and Keras networks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans

if TYPE_CHECKING:
    import keras


class ClusterClassifier(ClassifierMixin, BaseEstimator):
    """K-means whose clusters are named after the most frequent genre of their training segments.

    A cluster's probabilities are the shares of the genres among its training segments. There are
    never more clusters than training segments.
    """

    def __init__(self, n_clusters: int = 10, *, random_state: int = 0):
        self.n_clusters = n_clusters
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "ClusterClassifier":
        """Cluster the segments [shape=(n_segments, n_inputs)], then count genres by cluster."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        clusters = min(self.n_clusters, len(X))
        self.kmeans_ = KMeans(clusters, n_init=10, random_state=self.random_state).fit(X)
        counts = np.zeros((clusters, len(self.classes_)))
        np.add.at(counts, (self.kmeans_.labels_, codes), 1)
        # Where segments coincide, a cluster may be empty: its shares are 0, and none falls into it.
        self.shares_ = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return the genres' shares in each segment's cluster [shape=(n_segments, n_genres)]."""
        return self.shares_[self.kmeans_.predict(X)]

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return the name of each segment's cluster."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class SequenceClassifier(ClassifierMixin, BaseEstimator):
    """A Keras network that reads the inputs as the paper does: a sequence, one number a step.

    Training is like that of the paper's network: Adam with a rate of 1e-3, cross-entropy, the last
    epoch's weights. Keras' own ``SKLearnClassifier`` will not do: it has no ``predict_proba``, and
    its clones forget ``fit_kwargs``, which hold the number of epochs.

    Parameters
    ----------
    hidden
        Returns the layers between the input ``(n_inputs, 1)`` and the softmax over the genres.
    random_state
        Seeds Python, NumPy and the back end when fitting: weights, dropout, order of batches.
    """

    def __init__(
        self,
        hidden: Callable[[], list["keras.Layer"]],
        *,
        epochs: int,
        batch_size: int = 64,
        random_state: int = 0,
    ):
        self.hidden = hidden
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: np.ndarray, y: np.ndarray) -> "SequenceClassifier":
        """Build the network and train it on the segments [shape=(n_segments, n_inputs)]."""
        import keras  # here, since names and settings of the models are read without it

        self.classes_, codes = np.unique(y, return_inverse=True)
        keras.utils.clear_session()
        keras.utils.set_random_seed(self.random_state)
        output = keras.layers.Dense(len(self.classes_), activation="softmax")
        self.model_ = keras.Sequential([keras.Input((X.shape[1], 1)), *self.hidden(), output])
        self.model_.compile(
            optimizer=keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy"
        )
        self.model_.fit(
            _sequence(X), codes, epochs=self.epochs, batch_size=self.batch_size, verbose=0
        )
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Return each genre's probability [shape=(n_segments, n_genres)]."""
        return self.model_.predict(_sequence(X), batch_size=512, verbose=0)

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Return each segment's most probable genre."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def _sequence(X: np.ndarray) -> np.ndarray:
    return np.asarray(X, dtype="float32")[:, :, np.newaxis]


def cnn() -> list["keras.Layer"]:
    """Return the hidden layers of a convolutional network: two convolutions, pooled."""
    from keras import layers

    return [
        layers.Conv1D(32, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.Conv1D(64, 5, padding="same", activation="relu"),
        layers.MaxPooling1D(2),
        layers.Flatten(),
        layers.Dropout(0.5),
    ]


def rnn() -> list["keras.Layer"]:
    """Return the hidden layer of a plain recurrent network."""
    from keras import layers

    return [layers.SimpleRNN(64)]
