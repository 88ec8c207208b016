"""The program that draws with Blender, run by Blender's own environment (`make blender`) and by nothing else.

Blender and BlenderProc are under the GPL; no module outside this package imports them, or this package. It speaks JSON
lines: a scene comes in on stdin, the answer with the names of files goes out on stdout (see ``protocol.md`` beside it).
"""
