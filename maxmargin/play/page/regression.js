// The tab of points on a line: filled in when this version computes minimum-norm interpolation.

function drawLine() {}

function openLine() {}

export { drawLine, openLine };
