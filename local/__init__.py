"""The local cloud: what AWS does for Vitals, played on one machine from the same template.yaml."""
