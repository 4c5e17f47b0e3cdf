"""A process that speaks the solver's protocol and follows a script.

``python scripted_solver.py REPOSITORY SCRIPT TAKE``: it streams the take, so that what Blender shows can be compared.
"""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, sys.argv[1])

import numpy as np  # noqa: E402

from solver import messages, take  # noqa: E402
from solver.hand_model.rotations import quaternion_from_matrix  # noqa: E402


class Client:
    """Stdin and stdout, with what the client asked for."""

    def __init__(self) -> None:
        self.cancelled = threading.Event()
        self.closed = threading.Event()
        self.requests: list[messages.SolveRequest] = []
        self.asked = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in sys.stdin:
            match messages.decode(line):
                case messages.SolveRequest() as request:
                    self.requests.append(request)
                    self.asked.set()
                case messages.CancelRequest():
                    self.cancelled.set()
                case messages.ShutdownRequest():
                    break
        self.closed.set()
        os._exit(0)

    def say(self, message: messages.Message) -> None:
        print(messages.encode(message), flush=True)


def stream(client: Client, request: messages.SolveRequest, solved: take.Take, until: int, pause: float = 0.0) -> None:
    """Camera, hands, and their poses of the first ``until`` frames."""
    number = request.request
    client.say(messages.StageStarted(number, "initialise", "Fitting the hands", 0, 2))
    client.say(_camera(number, solved))
    for hand, side in enumerate(solved.sides):
        client.say(messages.TrackStarted(number, hand, side, tuple(solved.betas[hand].tolist())))
    for row in range(until):
        if client.cancelled.is_set():
            return
        for hand in range(len(solved.sides)):
            if solved.status[hand, row] != take.MISSING:
                client.say(_pose(number, solved, hand, row))
        client.say(messages.Progress(number, "initialise", row + 1, len(solved.frames)))
        time.sleep(pause)


def _camera(number: int, solved: take.Take) -> messages.CameraSolved:
    matrices = solved.world_from_camera
    quaternions = quaternion_from_matrix(matrices[:, :3, :3]).tolist()
    poses = tuple((*q, *p) for q, p in zip(quaternions, matrices[:, :3, 3].tolist(), strict=True))
    intrinsics = tuple(solved.intrinsics.tolist())
    return messages.CameraSolved(number, solved.camera_kind, intrinsics, int(solved.frames[0]), poses)


def _pose(number: int, solved: take.Take, hand: int, row: int) -> messages.TrackPose:
    quaternions = quaternion_from_matrix(solved.rotations[hand, row])
    return messages.TrackPose(
        number, hand, int(solved.frames[row]), tuple(map(tuple, quaternions.tolist())), tuple(solved.transl[hand, row])
    )


def finish(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    take.save(solved, request.output)
    stream(client, request, solved, len(solved.frames))
    client.say(messages.Warned(request.request, "focal-guessed", "The focal length was guessed.", "Enter it."))
    client.say(messages.Finished(request.request, request.output, False, "Both hands in all frames."))


def slow(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    """All frames, then the last one over and over until it is cancelled; then what there is."""
    take.save(solved, request.output)
    stream(client, request, solved, len(solved.frames), pause=0.02)
    while not client.cancelled.wait(0.02):
        for hand in range(len(solved.sides)):
            client.say(_pose(request.request, solved, hand, -1))
    client.say(messages.Finished(request.request, request.output, True, "Stopped."))


def refine(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    """Every second frame at the wrong place, then all backwards at the right one."""
    number = request.request
    client.say(messages.TrackStarted(number, 1, "right", tuple(solved.betas[1].tolist())))
    client.say(messages.TrackStarted(number, 0, "left", tuple(solved.betas[0].tolist())))
    poses = [_pose(number, solved, hand, 0) for hand in (0, 1)]
    for row in range(0, len(solved.frames), 2):
        for pose in poses:
            client.say(dataclasses.replace(pose, frame=int(solved.frames[row])))
    time.sleep(0.3)
    for row in reversed(range(len(solved.frames))):
        client.say(_pose(number, solved, 1, row))
        time.sleep(0.01)
    for row in range(len(solved.frames)):
        client.say(_pose(number, solved, 1, row))
    client.say(messages.StageStarted(number, "refined", "Refined", 1, 2))


def fail(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    client.say(
        messages.Failed(request.request, "no-hands-found", "There is no hand in the clip.", "Choose another clip.")
    )


def die(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    stream(client, request, solved, 5)
    print("Segmentation fault of some library", file=sys.stderr, flush=True)
    time.sleep(0.1)
    os.kill(os.getpid(), signal.SIGKILL)


def garbage(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    print("a library that prints\n{\n\x00\n{}\n[1, 2]", flush=True)
    os.write(1, b"\xff\xfe not UTF-8 \xff\n")
    finish(client, request, solved)
    print("and prints again", flush=True)


def deaf(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    """Hears neither cancel nor terminate."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    stream(client, request, solved, 3)
    client.cancelled.wait()
    time.sleep(3600)


def silent_exit(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    os._exit(3)


def truncated_take(client: Client, request: messages.SolveRequest, solved: take.Take) -> None:
    Path(request.output).write_bytes(b"PK not a take")
    client.say(messages.Finished(request.request, request.output, False, ""))


SCRIPTS = {
    "finish": finish, "slow": slow, "refine": refine, "fail": fail, "die": die, "garbage": garbage, "deaf": deaf,
    "silent_exit": silent_exit, "truncated_take": truncated_take, "newer": finish,
}  # fmt: skip


def main() -> None:
    client = Client()
    protocol = 999 if sys.argv[2] == "newer" else messages.PROTOCOL_VERSION
    client.say(messages.Hello(protocol=protocol, pid=os.getpid()))
    client.asked.wait()
    request = client.requests[0]
    SCRIPTS[sys.argv[2]](client, request, take.load(sys.argv[3]))
    client.closed.wait()


if __name__ == "__main__":
    np.seterr(all="raise")
    main()
