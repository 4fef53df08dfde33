// Values for tests, each said by what matters of it.

import Agent
import Glibc
import Hosting
import Wire

func attemptID(_ text: String) -> AttemptID {
  guard let id = try? AttemptID(jsonText: text) else { fatalError("'\(text)' is no attempt id") }
  return id
}

func name(_ text: String) -> Name {
  guard let name = try? Name(text) else { fatalError("'\(text)' is no name") }
  return name
}

func digest(_ byte: UInt8) -> Digest { Digest(bytes: [UInt8](repeating: byte, count: 32)) }

func head(_ position: Int64, era: Int64 = 1, hash: UInt8 = 7) -> HeadWitness {
  HeadWitness(era: Position(era), position: Position(position), hash: digest(hash))
}

func launch(
  _ command: [String] = ["/bin/sleep", "1000"], environment: [String: String] = [:],
  path: String = "/health", listsModel: Bool = false, periodMilliseconds: Int = 50,
  deadlineSeconds: Int = 60, graceSeconds: Int = 5
) -> Launch {
  Launch(
    engine: name("sim"), command: command, environment: environment,
    readiness: Launch.Readiness(
      path: path, listsModel: listsModel, periodMilliseconds: periodMilliseconds,
      deadlineSeconds: deadlineSeconds),
    stopGraceSeconds: graceSeconds)
}

/// A simulated engine that lists its model and asks for its key.
func simLaunch(
  _ more: [String] = [], engineLog: String = "", deadlineSeconds: Int = 60, graceSeconds: Int = 5
) -> Launch {
  launch(
    [
      "wharf-engine-sim", "--host", "${host}", "--port", "${port}", "--served-model-name",
      "${servedModelName}", "--load-seconds", "0.05",
    ] + more,
    environment: ["WHARF_ENGINE_KEY": "${engineKey}"].merging(
      engineLog.isEmpty ? [:] : ["WHARF_ENGINE_LOG": engineLog]
    ) { first, _ in first },
    listsModel: true, deadlineSeconds: deadlineSeconds, graceSeconds: graceSeconds)
}

func assigned(
  _ id: String, on devices: [String] = ["sim-0"], launch: Launch = launch(),
  exclusive: Bool = false, notAfter: Timestamp? = nil
) -> AssignedAttempt {
  AssignedAttempt(
    id: attemptID(id), replicaName: "grok-\(id)", servedModelName: "xai/grok-3", launch: launch,
    devices: devices, deviceMemoryBytes: 70 << 30, contextLength: 131_072, modelPath: nil,
    engineKey: EngineKey(secret: "engine-key-of-\(id)"), exclusive: exclusive, notAfter: notAfter)
}

func assignment(
  _ generation: Int64, _ attempts: [AssignedAttempt], node: Stream = Stream(.node, 5),
  leaseSeconds: Int = 30, heartbeatSeconds: Int = 1, head witness: HeadWitness? = nil
) -> Assignment {
  Assignment(
    generation: Position(generation), head: witness ?? head(generation), node: node,
    leaseSeconds: leaseSeconds, heartbeatSeconds: heartbeatSeconds, attempts: attempts)
}

func simulatedDevices(_ count: Int) -> [DeviceFacts] {
  (0..<count).map { DeviceFacts(id: "sim-\($0)", model: "H100", memory: Bytes(count: 80 << 30)) }
}
