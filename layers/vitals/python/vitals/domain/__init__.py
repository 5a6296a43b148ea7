"""Pure rules: values and a time in, values out."""
