// Engines that run as another user than the agent: what they cannot read, and what is theirs.

import Glibc
import Hosting
import Machine
import TestTools
import Testing

@testable import Agent

@Suite(.serialized, .turn, .bounded) struct `Engines of another user` {
  /// As every system has one.
  private static let nobody = "nobody"

  @Test(.enabled(if: geteuid() == 0, "only root can start engines as another user"))
  func `have the user's rights and no others, and a folder of their own`() async throws {
    let user = try EngineUser(named: Self.nobody)
    try await Workspace.use { space in
      chmod(space.path, 0o711)
      try await StandInServer.use { server in
        let agent = try AgentProcess.start(
          [
            "run", "--server", server.url, "--data", space.data, "--name", "node-1",
            "--join-token-file", try Self.token(space), "--devices", "4xH100-80G", "--engine-user",
            Self.nobody,
          ], space, log: "agent.log")
        let script = """
          echo "user $(id -u) groups $(id -G) home $HOME name $USER"
          echo "works in $(pwd)"
          for place in credential attempts attempts/31.1.40/plan.json work; do
            if ls '\(space.data)'/$place/. >/dev/null 2>&1 || cat '\(space.data)'/$place >/dev/null 2>&1
            then echo "reads $place"; fi
          done
          echo mine > own && ln -s '\(space.path)' out && mkdir -p deep/er && echo "writes $(cat own)"
          if kill -0 $PPID 2>/dev/null; then echo "may signal its holder"; fi
          grep -c CapEff:.0000000000000000 /proc/self/status | sed 's/^/powerless /'
          echo done; exec sleep 1000
          """
        await server.standIn.assign(
          40,
          [
            assigned("31.1.40", launch: launch(["/bin/sh", "-c", script], deadlineSeconds: 3_600))
          ])
        let log = space.data + "/attempts/31.1.40/engine.log"
        let said = try await eventually("the engine has said all") {
          let text = String(decoding: Files.tail(log, bytes: 1 << 16), as: UTF8.self)
          return text.contains("done") ? text : nil
        }
        let groups = user.groups.map { "\($0)" }.joined(separator: " ")
        let work = space.data + "/work/31.1.40"
        #expect(said.contains("user \(user.user) groups \(groups) home \(user.home) name nobody"))
        #expect(said.contains("works in \(work)"), "\(said)")
        #expect(said.contains("writes mine") && said.contains("powerless 1"), "\(said)")
        #expect(!said.contains("reads ") && !said.contains("may signal"), "\(said)")

        // Looking at the agent closes nothing to its engines.
        _ = try DataFolder(space.data)
        var facts = stat()
        #expect(stat(space.data, &facts) == 0 && facts.st_mode & 0o777 == 0o711)

        await server.standIn.assign(41, [])
        try await eventually("its folder is gone, and its link leads nobody astray") {
          access(work, F_OK) != 0
        }
        #expect(access(log, F_OK) != 0 && access(space.path + "/token", F_OK) == 0)
        try await agent.terminate()
      }
    }
  }

  private static func token(_ space: Workspace) throws -> String {
    let token = space.path + "/token"
    try Files.write(Array("join-token-1\n".utf8), to: token)
    return token
  }

  @Test(.enabled(if: geteuid() == 0, "others are told first that they are not root"))
  func `is named, and is not root`() throws {
    for (name, why) in [("no-such-user", "there is no user"), ("root", "root's rights")] {
      let problem = #expect(throws: Malformed.self) { try EngineUser(named: name) }
      #expect(problem?.description.contains(why) == true)
    }
  }

  @Test(.enabled(if: geteuid() != 0, "root may")) func `needs an agent that runs as root`() {
    let problem = #expect(throws: Malformed.self) { try EngineUser(named: Self.nobody) }
    #expect(problem?.description.contains("runs as root") == true)
  }
}
