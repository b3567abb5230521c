"""The comparison of framepipe with its peers: see bench/README.md."""
