// Why a replica waits, in words.

import Hosting

enum WaitingText {
  static func words(_ reason: WaitingReason) -> String {
    switch reason {
    case .new: "not looked at yet"
    case .noNodes: "there is no node"
    case .noOpenNode: "no node is open for new replicas"
    case .notEnoughDevices: "not enough free devices on one node"
    case .deviceMemoryTooSmall: "free devices have too little memory"
    case .notEnoughCPU: "not enough free CPU on one node"
    case .notEnoughMemory: "not enough free memory on one node"
    case .backingOff: "failed, and waits before the next try"
    case .agreementEnded: "the provider's agreement has ended"
    case .providerSuspended: "the provider is suspended"
    case .paused: "paused"
    case .nodeLost: "its node is lost"
    }
  }
}
