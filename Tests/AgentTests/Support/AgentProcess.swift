// The agent as a real program, started and ended as its users do.

import Agent
import Glibc
import Hosting
import Machine
import TestTools
import Testing

@testable import Agent

/// A `wharf-agent run` that this test started; what it logs goes to `agent-N.log`.
struct AgentProcess {
  let pid: pid_t
  let workspace: Workspace

  static func start(
    _ workspace: Workspace, server: String, ports: ClosedRange<Int>, devices: String = "4xH100-80G",
    log: String = "agent.log"
  ) throws -> AgentProcess {
    let token = workspace.path + "/token"
    try Files.write(Array("join-token-1\n".utf8), to: token)
    let arguments = [
      "run", "--server", server, "--data", workspace.data, "--name", "node-1", "--join-token-file",
      token, "--port-range", "\(ports.lowerBound)-\(ports.upperBound)", "--devices", devices,
    ]
    return try start(arguments, workspace, log: log)
  }

  static func start(
    _ arguments: [String], _ workspace: Workspace, log: String
  ) throws -> AgentProcess {
    let program = builtProgram("wharf-agent")
    let words = ([program] + arguments).map { "'\($0)'" }.joined(separator: " ")
    let (pid, pipe) = try Spawn.start(
      "/bin/sh", ["-c", "exec \(words) >>'\(workspace.path)/\(log)' 2>&1"],
      environment: ["PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/", "LEAKED": "never"])
    close(pipe)
    workspace.started(pid)
    return AgentProcess(pid: pid, workspace: workspace)
  }

  func signal(_ number: Int32) { Glibc.kill(pid, number) }

  /// - Returns: the exit code, or nil when a signal ended it.
  @discardableResult
  func wait() async throws -> Int32? {
    let status: Int32 = try await eventually("the agent ends") {
      var status: Int32 = 0
      return waitpid(pid, &status, WNOHANG) == pid ? status : nil
    }
    workspace.reaped(pid)
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : nil
  }

  func kill() async throws {
    signal(SIGKILL)
    try await wait()
  }

  func terminate() async throws {
    signal(SIGTERM)
    #expect(try await wait() == 0)
  }
}

/// `wharf-agent stop-engines`, to its end.
func stopEngines(_ workspace: Workspace) async throws {
  let process = try AgentProcess.start(
    ["stop-engines", "--data", workspace.data], workspace, log: "stop-engines.log")
  #expect(try await process.wait() == 0)
}
