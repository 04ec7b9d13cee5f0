// The JDK's own client: `java Main.java URL CA MODE SECONDS`.

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Main {
    public static void main(String[] args) throws Exception {
        String mode = args[2];
        long end = System.nanoTime() + (long) (Double.parseDouble(args[3]) * 1e9);
        HttpClient client =
                HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).sslContext(trust(args[1])).build();
        HttpRequest.Builder builder = HttpRequest.newBuilder(URI.create(args[0])).timeout(Duration.ofSeconds(20));
        if (mode.equals("upload")) {
            builder.POST(BodyPublishers.ofInputStream(Drip::new));
        }
        HttpRequest request = builder.build();
        AtomicInteger requests = new AtomicInteger();
        AtomicInteger lost = new AtomicInteger();
        Map<String, Integer> why = new TreeMap<>();
        ArrayList<Thread> threads = new ArrayList<>();
        for (int n = 0; n < (mode.equals("parallel") ? 8 : 1); n++) {
            Thread thread = new Thread(() -> {
                while (System.nanoTime() < end) {
                    requests.incrementAndGet();
                    try {
                        var answer = client.send(request, BodyHandlers.ofByteArray());
                        if (answer.statusCode() != 200 || answer.version() != HttpClient.Version.HTTP_2) {
                            throw new IOException(answer.version() + " " + answer.statusCode());
                        }
                    } catch (Exception error) {
                        lost.incrementAndGet();
                        synchronized (why) {
                            why.merge(String.valueOf(error).replaceAll("[\"\\\\]|/127\\.0\\.0\\.1:\\d+: ", ""), 1, Integer::sum);
                        }
                    }
                    if (mode.equals("pause")) {
                        sleep(ThreadLocalRandom.current().nextInt(50, 500));
                    }
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        String reasons =
                why.entrySet().stream().map(e -> "\"" + e.getKey() + "\":" + e.getValue()).collect(Collectors.joining(","));
        System.out.printf("{\"version\":\"%s\",\"requests\":%d,\"lost\":%d,\"why\":{%s}}%n",
                System.getProperty("java.version"), requests.get(), lost.get(), reasons);
        System.exit(0);
    }

    /** A body that comes in pieces. */
    static class Drip extends InputStream {
        private int left = 10;

        @Override
        public int read() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(byte[] bytes, int from, int length) {
            if (left-- == 0) {
                return -1;
            }
            sleep(20);
            return Math.min(100, length);
        }
    }

    static void sleep(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    static SSLContext trust(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        var certificate = new ByteArrayInputStream(Files.readAllBytes(Path.of(file)));
        store.setCertificateEntry("ca", CertificateFactory.getInstance("X.509").generateCertificate(certificate));
        TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }
}
