"""Local best responses in any dimension: ascent from many starts, good neurons and no proof."""
