"""The player: a process of its own that plays music, so that it is known what speech costs it.

    decoding threads, one a stream ──ring──▶ mixer ──block──▶ output      one feeding thread
       file ▶ resampler ▶ tone      bounded    │ fades, ducking, limiter   deadlines, counted
                                               └──▶ tap ──▶ reference.sock

Decoding happens ahead, in pieces, and may be held up for as long as a ring lasts; the feeding
thread only adds up what lies ready.
"""
