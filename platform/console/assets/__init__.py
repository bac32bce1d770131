"""How the pages get their looks: the style sheet that is built from `console.css`, and what is vendored from others.

`python -m console.assets` builds, `--check` proves that what is committed is what would be built, and `--vendor` takes
the packages of `vendor.lock.json` anew. Neither building nor checking needs Node or the network.
"""
