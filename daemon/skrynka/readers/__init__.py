"""Reader processes: whatever parses a file does it in a child process that may die.

`processes` is the parent's side (limits, time-outs, what a death means), `spreading` who of several reads what, `entry`
and `tasks` the child's side, `messages` what the child may say, `confinement` and `landlock` what it may do. A child
gets no database, is never used twice, and nothing that it says is believed unchecked.
"""
