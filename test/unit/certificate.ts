/** A certificate that nobody trusts, for tests of TLS on loopback. Signed by itself for backend.example.test; the key guards nothing. */

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIUVgs/bvONPFuzK0sUyg2IKMxqRdYwCgYIKoZIzj0EAwIw
HzEdMBsGA1UEAwwUYmFja2VuZC5leGFtcGxlLnRlc3QwIBcNMjYxMTIzMTgxNTQz
WhgPMjEyNjEwMzAxODE1NDNaMB8xHTAbBgNVBAMMFGJhY2tlbmQuZXhhbXBsZS50
ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE/1X/KHdmg1qa8JfLU/rPZWcg
LiqV+zgVGBx9n8aIyotYKAew2FqiCGVpY4vDJX0y8P3+q6vMrvNThrH+jTEnRaNT
MFEwHQYDVR0OBBYEFIu8I+G9Ogycbefkdgti93bctBiFMB8GA1UdIwQYMBaAFIu8
I+G9Ogycbefkdgti93bctBiFMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwID
SAAwRQIhAOumLGfdtn5C4ko0OUHcfEWN8pyvb/VdriJsNNg5bo1tAiBmJ2kGrSfp
kQoKnKBrTuCKx16ZkzMcreIE64PD94xGew==
-----END CERTIFICATE-----
`

export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgei0UVLBcg+kE5Z2M
FdHj5oLIo5nKiFCIPoeSxyosv9OhRANCAAT/Vf8od2aDWprwl8tT+s9lZyAuKpX7
OBUYHH2fxojKi1goB7DYWqIIZWlji8MlfTLw/f6rq8yu81OGsf6NMSdF
-----END PRIVATE KEY-----
`
