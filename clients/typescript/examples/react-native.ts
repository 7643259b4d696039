// React Native: body mode, with the refresh token in the system's key store.
import { createClient, type TokenStorage } from 'portcullis-client'

/** The part of expo-secure-store that is used; react-native-keychain or AsyncStorage are wrapped alike. */
interface SecureStore {
  getItemAsync(key: string): Promise<string | null>
  setItemAsync(key: string, value: string): Promise<void>
  deleteItemAsync(key: string): Promise<void>
}

const KEY = 'portcullis.refresh'

export function keyStore(store: SecureStore): TokenStorage {
  return {
    get: () => store.getItemAsync(KEY),
    set: (token) => (token === null ? store.deleteItemAsync(KEY) : store.setItemAsync(KEY, token)),
  }
}

export function createAppClient(store: SecureStore) {
  return createClient({ baseUrl: 'https://accounts.example.com', storage: keyStore(store) })
}
