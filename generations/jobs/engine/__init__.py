"""How a waiting generation becomes a stored image. State is in the database; messages only wake workers.

1. `claim`: a worker reserves a slot of a provider account and claims the ready generation that is first in
   the queue: one UPDATE that also takes a lease and counts the attempt.
2. `run`: the worker calls the provider. `leases` are renewed while it works; if the worker dies, they expire.
3. `outcomes`: the result of the call changes attempt, generation, credits and account in one transaction. An
   image is first written to the `spool` (synced to disk), since from then on it is paid for.
4. `persist`: the image goes from the spool to object storage; then image row, status and charge are committed
   together.

`callers` are the threads that do all this: a message wakes one, which starts others while more is ready.
`sweeper` repairs what crashed between these steps: it settles expired leases, recovers what dead workers of
the same machine left in their spools, and wakes workers when ready generations are not being claimed.
`heartbeats` tell which workers are alive, `queue_position` estimates when a waiting generation is served,
`operator_actions` are what operators may do to the queue. Everything may run twice, or stop halfway.
"""
