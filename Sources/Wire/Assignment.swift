// What wharfd tells an agent: the full desired set of its node, by position. It leaves the agent
// nothing to choose but ports. `GET /v1/agent/assignment?after=G&wait=SECONDS` answers 200 with one
// newer than G, or 204 when there is none within the wait.

import Hosting

package struct Assignment: JSONRecord, Equatable, Sendable {
  /// The position of the last event that changed this node's assignment.
  package var generation: Position
  package var head: HeadWitness
  package var node: Stream
  /// How long the agent may act on what it knows, from when its last acknowledged request was sent.
  package var leaseSeconds: Int
  package var heartbeatSeconds: Int
  package var attempts: [AssignedAttempt]
  /// The era that a person let this node follow, whatever its agent saw of another one.
  package var acceptedEra: Position?

  package init(
    generation: Position, head: HeadWitness, node: Stream, leaseSeconds: Int,
    heartbeatSeconds: Int, attempts: [AssignedAttempt], acceptedEra: Position? = nil
  ) {
    self.generation = generation
    self.head = head
    self.node = node
    self.leaseSeconds = leaseSeconds
    self.heartbeatSeconds = heartbeatSeconds
    self.attempts = attempts
    self.acceptedEra = acceptedEra
  }
}

/// One engine that is to run. What is not listed is to be stopped.
package struct AssignedAttempt: Codable, Equatable, Sendable {
  package var id: AttemptID
  /// For people: `grok-1`.
  package var replicaName: String
  package var servedModelName: String
  package var launch: Launch
  /// Ids of the devices it may use, as the agent named them when it joined.
  package var devices: [String]
  package var deviceMemoryBytes: Int64
  package var contextLength: Int?
  package var modelPath: String?
  /// What lies at that path must have this digest, or it is not loaded. See `wharf-agent digest`.
  package var weights: Digest?
  /// What the engine must be asked with; derived per attempt. A secret.
  package var engineKey: EngineKey
  /// Stopped by the agent when its lease ends.
  package var exclusive: Bool
  /// Stopped by the agent at this moment, whatever it hears.
  package var notAfter: Timestamp?

  package init(
    id: AttemptID, replicaName: String, servedModelName: String, launch: Launch,
    devices: [String], deviceMemoryBytes: Int64, contextLength: Int?, modelPath: String?,
    weights: Digest? = nil, engineKey: EngineKey, exclusive: Bool, notAfter: Timestamp?
  ) {
    self.id = id
    self.replicaName = replicaName
    self.servedModelName = servedModelName
    self.launch = launch
    self.devices = devices
    self.deviceMemoryBytes = deviceMemoryBytes
    self.contextLength = contextLength
    self.modelPath = modelPath
    self.weights = weights
    self.engineKey = engineKey
    self.exclusive = exclusive
    self.notAfter = notAfter
  }
}

/// A secret that shows itself only where it is encoded.
package struct EngineKey: JSONText, Hashable, Sendable, CustomStringConvertible {
  package let secret: String
  package init(secret: String) { self.secret = secret }
  package init(jsonText: String) throws(Malformed) { secret = jsonText }
  package var jsonText: String { secret }
  package var description: String { "engine key" }
}

extension EngineKey: CanonicallyRead {
  package init?(canonical reader: inout CanonicalReader) {
    guard let secret = String(canonical: &reader) else { return nil }
    self.init(secret: secret)
  }
}
