"""GAIS: labelled rows selected with a graph attention network, and simpler methods."""
