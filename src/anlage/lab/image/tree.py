"""Forests of extremely randomised trees, for the activation score and for the gates.

P. Geurts, D. Ernst, L. Wehenkel, 2006, doi:10.1007/s10994-006-6226-1, as scikit-learn has them,
written as ONNX so that measuring needs neither scikit-learn nor a pickle. Needs onnx.
"""

from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from anlage.base import Broken

TREES = 150
LEAST_IN_LEAF = 3
GATE_TREES = 80
GATE_LEAVES = 400


def grow_trees(
    traits: NDArray[numpy.float32],
    active: NDArray[numpy.bool_],
    weight: NDArray[numpy.float64],
    *,
    seed: int,
) -> Any:
    """Grow the trees.

    Args:
        traits: One row per crop.
        active: Whether the cell of the crop is activated.
        weight: How much each crop counts.
        seed: Seed of all choice.

    Returns:
        The fitted forest of scikit-learn.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(
        TREES, min_samples_leaf=LEAST_IN_LEAF, max_features="sqrt", random_state=seed, n_jobs=1
    )
    return forest.fit(traits, active, sample_weight=weight)


def grow_gate(
    values: NDArray[numpy.float64],
    good: NDArray[numpy.bool_],
    weight: NDArray[numpy.float64],
    *,
    seed: int,
) -> Any:
    """Grow the forest of a gate, kept below a megabyte.

    Args:
        values: One row per picture.
        good: Whether the picture may be measured.
        weight: How much each picture counts.
        seed: Seed of all choice.
    """
    from sklearn.ensemble import ExtraTreesClassifier

    forest = ExtraTreesClassifier(
        GATE_TREES, max_leaf_nodes=GATE_LEAVES, max_features=0.3, random_state=seed, n_jobs=1
    )
    return forest.fit(values.astype(numpy.float32), good, sample_weight=weight)


def write_trees(forest: Any, file: Path) -> int:
    """Write a forest of two classes as ONNX: traits in, the mean share of the second class out.

    Returns:
        Size of the file in bytes.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    node: dict[str, list[int]] = {
        name: []
        for name in (
            "tree_roots",
            "nodes_featureids",
            "nodes_truenodeids",
            "nodes_falsenodeids",
            "nodes_trueleafs",
            "nodes_falseleafs",
        )
    }
    splits: list[float] = []
    weights: list[float] = []
    for grown in forest.estimators_:
        tree = grown.tree_
        leaf = tree.children_left < 0
        if leaf[0]:
            raise Broken("trees that ask at least once", seen="a tree that is one leaf")
        # Branches and leaves are numbered apart, over all trees.
        place = numpy.where(
            leaf, len(weights) + numpy.cumsum(leaf) - 1, len(splits) + numpy.cumsum(~leaf) - 1
        )
        branches, ends = numpy.flatnonzero(~leaf), numpy.flatnonzero(leaf)
        left, right = tree.children_left[branches], tree.children_right[branches]
        node["tree_roots"].append(len(splits))
        node["nodes_featureids"] += tree.feature[branches].tolist()
        node["nodes_truenodeids"] += place[left].tolist()
        node["nodes_falsenodeids"] += place[right].tolist()
        node["nodes_trueleafs"] += leaf[left].astype(int).tolist()
        node["nodes_falseleafs"] += leaf[right].astype(int).tolist()
        splits += tree.threshold[branches].tolist()
        shares = tree.value[ends, 0, 1] / tree.value[ends, 0].sum(axis=1)
        weights += (shares / len(forest.estimators_)).tolist()
    made = helper.make_node(
        "TreeEnsemble",
        ["traits"],
        ["share"],
        domain="ai.onnx.ml",
        n_targets=1,
        aggregate_function=1,  # the sum
        post_transform=0,
        nodes_splits=numpy_helper.from_array(numpy.array(splits, numpy.float32)),
        nodes_modes=numpy_helper.from_array(numpy.zeros(len(splits), numpy.uint8)),
        leaf_targetids=[0] * len(weights),
        leaf_weights=numpy_helper.from_array(numpy.array(weights, numpy.float32)),
        **node,
    )
    given = helper.make_tensor_value_info("traits", TensorProto.FLOAT, ["n", forest.n_features_in_])
    told = helper.make_tensor_value_info("share", TensorProto.FLOAT, ["n", 1])
    model = helper.make_model(
        helper.make_graph([made], "forest", [given], [told]),
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 5)],
        ir_version=9,
    )
    onnx.checker.check_model(model)
    file.write_bytes(model.SerializeToString())
    return file.stat().st_size
