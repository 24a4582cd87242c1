"""dsir in other libraries: one module each, imported by its full name when it is wanted.

| library | module | what it has |
|---|---|---|
| pandas | `dsir.integrations.pandas` | `series.dsir.log_weight(model)` |
| polars | `dsir.integrations.polars` | `col("text").dsir.log_weight(model)`, `lazy.dsir.select` |
| DuckDB | `dsir.integrations.duckdb` | `register(connection, model)`, a function of SQL |
| datasets | `dsir.integrations.datasets` | `LogWeight` for map, `AtLeast` for filter |
| PyTorch | `dsir.integrations.torch` | `SelectedRows`, an IterableDataset |
| scikit-learn | `dsir.integrations.sklearn` | `NgramVectorizer`, a transformer |
| datatrove | `dsir.integrations.datatrove` | `LogWeightFilter`, `LogWeightWriter` |
| NeMo Curator | `dsir.integrations.nemo_curator` | `LogWeightStage` |
| Ray Data | `dsir.integrations.ray` | `LogWeight` for map_batches |
| Dask | `dsir.integrations.dask` | `log_weight(series, model)` |
| Daft | `dsir.integrations.daft` | `log_weight(expression, model)` |
| Spark | `dsir.integrations.spark` | `log_weight_in_arrow(model)` for mapInArrow |

All give the numbers of `model.score`: 0 for nulls and for texts without a token, and an error for a
column that holds no texts.
"""
