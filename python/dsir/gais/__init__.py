"""GAIS: selects labelled rows with a graph attention network; simpler selectors to compare with."""
