"""Draws with one quota column, by tasks: the ranks that close its groups, and what each takes.

Without other quotas, a group closes at a rank that depends on its own documents alone: the first of
them, by descending rank, that would take it above its quota. So tasks look for the ranks of all
groups at once, and then for the rank at which the documents of open groups spend the budget.

Groups that have no more than their quota need no search. Groups of many documents are followed by
digits, a histogram for each; they are few, because each has many documents. As soon as a group has
few documents whose ranks begin with its known digits, these documents go to one task, which sorts
them: pieces of the corpus write them by range of the groups, and a task for each range reads its
slices. So no process holds more than a few million documents or bins, and the caller reads sums.
"""
